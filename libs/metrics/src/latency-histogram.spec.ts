import { AggregatorRegistry, Histogram, Registry } from 'prom-client';
import { LatencyHistogram } from './latency-histogram';

const BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2000, 3000];
const LABELS = ['tenantId', 'status'] as const;

/** The same observations in ours and in prom-client's own. */
function observed() {
  const ours = new Registry();
  const theirs = new Registry();
  const own = new LatencyHistogram('latency_ms', 'Latency', LABELS, ours);
  const peer = new Histogram({
    name: 'latency_ms',
    help: 'Latency',
    labelNames: LABELS,
    buckets: BUCKETS,
    registers: [theirs],
  });
  const ms = [0, 0.4, 1, 1.0001, 2, 9.99, 250, 3000, 3000.5, 100_000];
  for (const [i, value] of ms.entries()) {
    const labels = { tenantId: `a"c\\m\ne`, status: String(200 + (i % 2)) };
    own.of(labels).observe(value);
    peer.labels(labels).observe(value);
  }
  return { ours, theirs };
}

it('shows what the histogram of prom-client shows', async () => {
  const { ours, theirs } = observed();
  expect(await ours.metrics()).toBe(await theirs.metrics());
  expect(await ours.metrics()).toContain('le="+Inf"');
});

it('is added up over workers as that one is', async () => {
  const [one, other] = [observed(), observed()];
  const sum = async (...registries: Registry[]): Promise<string> => {
    const all = await Promise.all(registries.map((registry) => registry.getMetricsAsJSON()));
    return AggregatorRegistry.aggregate(all).metrics();
  };
  expect(await sum(one.ours, other.ours)).toBe(await sum(one.theirs, other.theirs));
});

it('shows nothing but its head before the first observation', async () => {
  const registry = new Registry();
  new LatencyHistogram('latency_ms', 'Latency', LABELS, registry);
  expect(await registry.metrics()).toBe('# HELP latency_ms Latency\n# TYPE latency_ms histogram\n');
});
