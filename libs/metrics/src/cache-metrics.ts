import { Counter, Gauge, type Registry } from 'prom-client';

/** What is shown of the memory for responses; `MemoryTier` of `#libs/cache` fits without being imported. */
export interface WatchedResponses {
  readonly bytes: number;
  readonly entries: number;
  readonly evictions: number;
}

/** Of the response cache: plain numbers, because they change with every request. */
export class CacheMetrics {
  private readonly outcomes = new Map<string, number>();
  private servedBytes = 0;

  constructor(private readonly registry: Registry) {
    const { outcomes } = this;
    const registers = [registry];
    new Counter({
      name: 'gateway_cache_requests_total',
      help: 'Requests to places with a cache policy, by what became of them',
      labelNames: ['result'],
      registers,
      collect() {
        this.reset();
        for (const [result, count] of outcomes) this.inc({ result }, count);
      },
    });
    this.total(
      'gateway_cache_served_bytes_total',
      'Bytes of bodies answered from the store',
      () => this.servedBytes,
    );
  }

  /** @param outcome one of few words, never anything of a request. */
  count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  served(bytes: number): void {
    this.servedBytes += bytes;
  }

  watch(responses: WatchedResponses): void {
    this.gauge('gateway_cache_memory_bytes', 'Memory taken by stored responses', () => responses.bytes);
    this.gauge('gateway_cache_entries', 'Stored responses in memory', () => responses.entries);
    this.total('gateway_cache_evictions_total', 'Stored responses that made room', () => responses.evictions);
  }

  private gauge(name: string, help: string, value: () => number): void {
    const collect = (): void => shown.set(value());
    const shown = new Gauge({ name, help, registers: [this.registry], collect });
  }

  private total(name: string, help: string, value: () => number): void {
    const collect = (): void => {
      shown.reset();
      shown.inc(value());
    };
    const shown = new Counter({ name, help, registers: [this.registry], collect });
  }
}
