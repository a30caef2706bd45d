import { Registry, collectDefaultMetrics } from 'prom-client';
import { ControlMetrics } from './control-metrics';
import { watchDeclarations, type WatchedDeclarations } from './declaration-metrics';
import { GatewayMetrics } from './gateway-metrics';
import { watchStore, watchUsage, type WatchedStore, type WatchedUsage } from './store-metrics';

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** All metrics of one process. An instance, not prom-client's global, so that two gateways can live in one test. */
export class MetricsRegistry {
  readonly registry = new Registry();
  readonly gateway: GatewayMetrics;
  readonly control: ControlMetrics;

  /** @param maxTenants tenants with series of their own; see GatewayMetrics. */
  constructor(private readonly maxTenants: number) {
    collectDefaultMetrics({ register: this.registry });
    this.gateway = new GatewayMetrics(this.registry, maxTenants);
    this.control = new ControlMetrics(this.registry);
  }

  watchStore(store: WatchedStore): void {
    watchStore(this.registry, store);
  }

  watchUsage(usage: WatchedUsage): void {
    watchUsage(this.registry, usage);
  }

  /** As many files have series of their own as tenants have. */
  watchDeclarations(declarations: WatchedDeclarations): void {
    watchDeclarations(this.registry, declarations, this.maxTenants);
  }

  render(): Promise<string> {
    return this.registry.metrics();
  }
}
