import { Counter, Gauge, type Registry } from 'prom-client';

/** What is shown of the load of a process; the parts of `#libs/load` fit without being imported. */
export interface WatchedLoad {
  readonly slots: { readonly inflight: number; readonly queued: number; readonly limit: number };
  readonly connections: { readonly open: number };
  readonly delay: { readonly latestMs: number };
}

/** Counts what clients are refused, or put out, before anybody knows who they are. */
export class LoadMetrics {
  private readonly refused: Counter<'reason'>;
  private readonly slow: Counter<'what'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.refused = new Counter({
      name: 'gateway_connections_refused_total',
      help: 'Client connections beyond MAX_CONNECTIONS (total) or MAX_CONNECTIONS_PER_IP (address)',
      labelNames: ['reason'],
      registers,
    });
    this.slow = new Counter({
      name: 'gateway_slow_clients_total',
      help: 'Exchanges ended because the client sent its request, or read its response, too slowly',
      labelNames: ['what'],
      registers,
    });
  }

  connectionRefused(reason: 'total' | 'address'): void {
    this.refused.inc({ reason });
  }

  slowClient(what: 'request' | 'response'): void {
    this.slow.inc({ what });
  }
}

/** Gauges of how much is under way and how much may be. */
export function watchLoad(registry: Registry, { slots, connections, delay }: WatchedLoad): void {
  const gauge = (name: string, help: string, read: () => number, aggregator: 'sum' | 'max' = 'sum'): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      aggregator,
      collect() {
        this.set(read());
      },
    });
  };
  gauge(
    'gateway_concurrency_inflight',
    'Requests that count towards a limit of those under way',
    () => slots.inflight,
  );
  gauge('gateway_concurrency_queued', 'Requests that wait for others to end', () => slots.queued);
  gauge(
    'gateway_concurrency_limit',
    'Requests that may be under way; +Inf for any number',
    () => slots.limit,
  );
  gauge(
    'gateway_load_ratio',
    'Requests under way in proportion to the limit: 1 is full, 0 also where there is no limit',
    () => slots.inflight / slots.limit,
    'max',
  );
  gauge('gateway_client_connections', 'Client connections open now', () => connections.open);
  gauge(
    'gateway_event_loop_delay_seconds',
    'How late the event loop came to what was due when that was last measured',
    () => delay.latestMs / 1000,
    'max',
  );
}
