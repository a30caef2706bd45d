import { Registry, collectDefaultMetrics } from 'prom-client';
import { CacheMetrics } from './cache-metrics';
import { watchCertificates, type WatchedCertificates } from './certificate-metrics';
import { ControlMetrics } from './control-metrics';
import { watchDeclarations, type WatchedDeclarations } from './declaration-metrics';
import { watchEdge, type EdgeFigures } from './edge-metrics';
import { GatewayMetrics } from './gateway-metrics';
import { watchKeySets, type WatchedKeySets } from './identity-metrics';
import { RetryMetrics } from './retry-metrics';
import { ShapingMetrics } from './shaping-metrics';
import { targetEvents, watchTargets, type WatchedTargets } from './target-metrics';
import { LoadMetrics, watchLoad, type WatchedLoad } from './load-metrics';
import { proxyProtocolRefusals } from './proxy-protocol-metrics';
import { watchLimiter, watchStore, watchUsage, type WatchedStore, type WatchedUsage } from './store-metrics';
import { RecordMetrics } from './record-metrics';
import { snapshotWrites } from './snapshot-metrics';
import { traceSpans } from './tracing-metrics';
import { WebhookMetrics } from './webhook-metrics';

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** All metrics of one process. An instance, not prom-client's global, so that two gateways can live in one test. */
export class MetricsRegistry {
  readonly registry = new Registry();
  readonly gateway: GatewayMetrics;
  readonly control: ControlMetrics;
  readonly retries: RetryMetrics;
  /** By `event`. */
  readonly targetEvents: ReturnType<typeof targetEvents>;
  readonly shaping: ShapingMetrics;
  readonly load: LoadMetrics;
  readonly cache: CacheMetrics;
  readonly webhooks: WebhookMetrics;
  readonly records: RecordMetrics;

  /** @param maxTenants tenants with series of their own; see GatewayMetrics. */
  constructor(private readonly maxTenants: number) {
    collectDefaultMetrics({ register: this.registry });
    this.gateway = new GatewayMetrics(this.registry, maxTenants);
    this.retries = new RetryMetrics(this.registry, (tenantId) => this.gateway.tenantLabel(tenantId));
    this.control = new ControlMetrics(this.registry);
    this.targetEvents = targetEvents(this.registry);
    this.shaping = new ShapingMetrics(this.registry);
    this.load = new LoadMetrics(this.registry);
    this.cache = new CacheMetrics(this.registry);
    this.webhooks = new WebhookMetrics(this.registry);
    this.records = new RecordMetrics(this.registry);
  }

  watchStore(store: WatchedStore): void {
    watchStore(this.registry, store);
  }

  watchUsage(usage: WatchedUsage): void {
    watchUsage(this.registry, usage);
  }

  watchLimiter(limiter: { readonly sharesTaken: number }): void {
    watchLimiter(this.registry, limiter);
  }

  watchKeySets(verifier: WatchedKeySets): void {
    watchKeySets(this.registry, verifier);
  }

  watchCertificates(certificates: WatchedCertificates): void {
    watchCertificates(this.registry, certificates);
  }

  watchLoad(load: WatchedLoad): void {
    watchLoad(this.registry, load);
  }

  /** @returns called with the reason whenever a connection is closed for its PROXY header. */
  proxyProtocolRefusals(): (reason: string) => void {
    return proxyProtocolRefusals(this.registry);
  }

  /** @returns called with what became of so many spans. */
  traceSpans(): (outcome: string, spans: number) => void {
    return traceSpans(this.registry);
  }

  /** @returns called with what became of every write of what a start without Redis would serve. */
  snapshotWrites(): (outcome: 'written' | 'failed') => void {
    return snapshotWrites(this.registry);
  }

  watchEdge(edge: { readonly figures: EdgeFigures }): void {
    watchEdge(this.registry, edge);
  }

  watchTargets(targets: WatchedTargets): void {
    watchTargets(this.registry, targets);
  }

  /** As many files have series of their own as tenants have. */
  watchDeclarations(declarations: WatchedDeclarations): void {
    watchDeclarations(this.registry, declarations, this.maxTenants);
  }

  render(): Promise<string> {
    return this.registry.metrics();
  }
}
