/**
 * metrics: every metric name of Gatehouse and the only code that observes them.
 * Bounds the number of `tenantId` values and renders the registry, over all workers where there are several.
 * Not here: deciding when something is counted; the planes do that, once per request.
 */
export { CacheMetrics, type WatchedResponses } from './cache-metrics';
export { GatewayMetrics, type FinishedRequest } from './gateway-metrics';
export { RetryMetrics, type RetryOutcome } from './retry-metrics';
export { LoadMetrics, type WatchedLoad } from './load-metrics';
export { ControlMetrics } from './control-metrics';
export { ShapingMetrics } from './shaping-metrics';
export { RecordMetrics } from './record-metrics';
export { WebhookMetrics } from './webhook-metrics';
export { MetricsRegistry, METRICS_CONTENT_TYPE } from './registry';
export { exposeToPrimary, renderForAllWorkers, serveWorkerScrapes } from './worker-scrapes';
export { edgeFiguresIn, type EdgeFigures } from './edge-metrics';
