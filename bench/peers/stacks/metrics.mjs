import { Counter, Gauge, Histogram, collectDefaultMetrics, register } from 'prom-client';

collectDefaultMetrics();

const requests = new Counter({
  name: 'gateway_requests_total',
  help: 'Requests',
  labelNames: ['tenantId', 'status'],
});
const latency = new Histogram({
  name: 'gateway_latency_ms',
  help: 'Latency of requests in milliseconds',
  labelNames: ['tenantId', 'status'],
  buckets: [1, 2, 5, 10, 20, 50, 100, 250, 500, 1000, 3000],
});

/** Requests that are being answered. */
export const inflight = new Gauge({ name: 'gateway_inflight_requests', help: 'Requests in flight' });

/**
 * @param {string} tenantId
 * @param {number} status
 * @param {number} milliseconds
 */
export function observe(tenantId, status, milliseconds) {
  const labels = { tenantId, status: String(status) };
  requests.inc(labels);
  latency.observe(labels, milliseconds);
}

/** The page that Prometheus reads. */
export const metricsPage = () => register.metrics();
