import { Gauge, type Registry } from 'prom-client';

/** What is shown of a store; `#libs/store` fits without being imported. */
export interface WatchedStore {
  readonly state: string;
  readonly changes: { readonly ageMs: number; readonly trustMs: number };
  readonly fleet: { readonly size: number };
}

/** Gauges that say how far the in-memory configuration may be behind the store. */
export function watchStore(registry: Registry, store: WatchedStore): void {
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
  gauge('gateway_store_up', '1 while the store can be used', () => (store.state === 'ready' ? 1 : 0));
  gauge(
    'gateway_config_staleness_seconds',
    'Age of the latest proof that every configuration change has arrived',
    () => store.changes.ageMs / 1000,
  );
  gauge('gateway_config_feed_up', '1 while cached configuration is trusted', () =>
    store.changes.trustMs > 0 ? 1 : 0,
  );
  gauge('gateway_replicas', 'Live data plane processes that share the store', () => store.fleet.size);
}
