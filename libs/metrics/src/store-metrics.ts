import { Counter, Gauge, type Registry } from 'prom-client';

/** What is shown of a store; `#libs/store` fits without being imported. */
export interface WatchedStore {
  readonly state: string;
  readonly changes: { readonly ageMs: number; readonly trustMs: number };
  readonly fleet: { readonly size: number };
}

/** What is shown of the usage that is on its way to the store; `#libs/usage` fits without being imported. */
export interface WatchedUsage {
  readonly backlogBatches: number;
  /** Milliseconds since the epoch; 0 for none. */
  readonly backlogSince: number;
  readonly journalErrors: number;
}

/** Gauges that say how much usage has been counted here and has not reached the store. */
export function watchUsage(registry: Registry, usage: WatchedUsage): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      aggregator: 'max',
      collect() {
        this.set(read());
      },
    });
  };
  gauge(
    'gateway_usage_backlog_batches',
    'Batches of usage that wait for the store',
    () => usage.backlogBatches,
  );
  gauge('gateway_usage_backlog_seconds', 'Age of the oldest usage that waits for the store', () =>
    usage.backlogSince === 0 ? 0 : (Date.now() - usage.backlogSince) / 1000,
  );
  gauge(
    'gateway_usage_journal_errors',
    'Times that the usage journal could not be written',
    () => usage.journalErrors,
  );
}

/** Gauges that say how far the in-memory configuration may be behind the store. */
export function watchStore(registry: Registry, store: WatchedStore): void {
  /** @param worst which worker's value counts where there are several: one that is cut off must show. */
  const gauge = (name: string, help: string, worst: 'min' | 'max', read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      aggregator: worst,
      collect() {
        this.set(read());
      },
    });
  };
  gauge('gateway_store_up', '1 while the store can be used', 'min', () => (store.state === 'ready' ? 1 : 0));
  gauge(
    'gateway_config_staleness_seconds',
    'Age of the latest proof that every configuration change has arrived',
    'max',
    () => store.changes.ageMs / 1000,
  );
  gauge('gateway_config_feed_up', '1 while cached configuration is trusted', 'min', () =>
    store.changes.trustMs > 0 ? 1 : 0,
  );
  gauge('gateway_replicas', 'Live data plane processes that share the store', 'max', () => store.fleet.size);
}

/** Says how often limits were decided without the store: each replica gives out its share then, and no more. */
export function watchLimiter(registry: Registry, limiter: { readonly sharesTaken: number }): void {
  new Counter({
    name: 'gateway_limits_degraded_total',
    help: "Requests whose limits were decided from this replica's share because the store was away",
    registers: [registry],
    collect() {
      this.reset();
      this.inc(limiter.sharesTaken);
    },
  });
}
