import { Registry } from 'prom-client';
import { GatewayMetrics, type FinishedRequest } from './gateway-metrics';

function setUp(maxTenants: number) {
  const registry = new Registry();
  const metrics = new GatewayMetrics(registry, maxTenants);
  /** Values of a metric by the values of its labels, joined by a space. */
  const values = async (name: string): Promise<Record<string, number>> => {
    const text = await registry.getSingleMetricAsString(name.replace(/_count$/, ''));
    const found: Record<string, number> = {};
    for (const [, labels = '', value] of text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (.+)$`, 'gm'))) {
      const key = [...labels.matchAll(/="([^"]*)"/g)].map((match) => match[1]).join(' ');
      found[key] = Number(value);
    }
    return found;
  };
  const finish = (tenantId: string | undefined, more: Partial<FinishedRequest> = {}): void =>
    metrics.finished({
      tenantId,
      status: 200,
      durationMs: 3,
      upstream: undefined,
      upstreamMs: undefined,
      ...more,
    });
  return { registry, metrics, values, finish };
}

it('counts a request by tenant and status', async () => {
  const { finish, values } = setUp(10);
  finish('acme');
  finish('acme');
  finish('acme', { status: 429 });
  finish(undefined, { status: 401 });
  const expected = { 'acme 200': 2, 'acme 429': 1, 'unknown 401': 1 };
  expect(await values('gateway_requests_total')).toEqual(expected);
  expect(await values('gateway_latency_ms_count')).toEqual(expected);
});

it.each([
  ['authFailure', 'gateway_auth_failures_total', { 'acme expired': 1, 'unknown expired': 1 }],
  ['routeDenial', 'gateway_route_denials_total', { acme: 1, unknown: 1 }],
  ['rateLimit', 'gateway_rate_limited_total', { acme: 1, unknown: 1 }],
  ['upstreamError', 'gateway_upstream_errors_total', { acme: 1, unknown: 1 }],
] as const)('%s is counted in %s', async (method, name, expected) => {
  const { metrics, values } = setUp(10);
  for (const tenant of ['acme', undefined]) metrics[method](tenant, 'expired');
  expect(await values(name)).toEqual(expected);
});

it('counts errors of its own by where it broke, and shows what is being handled', async () => {
  const { metrics, values } = setUp(10);
  metrics.internalError('guard');
  metrics.inflight = 3;
  expect(await values('gateway_internal_errors_total')).toEqual({ guard: 1 });
  expect(await values('gateway_inflight_requests')).toEqual({ '': 3 });
});

describe('tenants beyond the bound', () => {
  it('share one label, and the ones before keep theirs', async () => {
    const { finish, values } = setUp(3);
    for (let i = 0; i < 1000; i++) finish(`t${i}`);
    for (let i = 0; i < 1000; i++) finish(`t${i}`);
    expect(await values('gateway_requests_total')).toEqual({
      't0 200': 2,
      't1 200': 2,
      't2 200': 2,
      'other 200': 1994,
    });
  });

  it('share it in every metric', async () => {
    const { metrics, finish, values } = setUp(1);
    metrics.rateLimit('first');
    metrics.rateLimit('second');
    metrics.authFailure('third', 'expired');
    finish('second', { upstream: 'http://up.test', upstreamMs: 1 });
    expect(await values('gateway_rate_limited_total')).toEqual({ first: 1, other: 1 });
    expect(await values('gateway_auth_failures_total')).toEqual({ 'other expired': 1 });
    expect(await values('gateway_upstream_latency_ms_count')).toEqual({ 'other other': 1 });
  });

  it('do not push requests without a tenant out of "unknown"', async () => {
    const { finish, values } = setUp(1);
    finish('first');
    finish('second');
    finish(undefined);
    expect(await values('gateway_requests_total')).toEqual({
      'first 200': 1,
      'other 200': 1,
      'unknown 200': 1,
    });
  });
});

it('never moves a count from one label to another: no counter goes backwards', async () => {
  const { finish, values } = setUp(4);
  let before: Record<string, number> = {};
  for (let round = 1; round <= 20; round++) {
    for (let i = 0; i < round; i++) finish(i % 5 === 4 ? undefined : `t${i}`);
    const after = await values('gateway_requests_total');
    for (const [label, count] of Object.entries(before)) expect(after[label]).toBeGreaterThanOrEqual(count);
    before = after;
  }
  expect(Object.values(before).reduce((sum, count) => sum + count)).toBe(210);
});

describe('upstreams', () => {
  it('of one tenant have a bound of their own', async () => {
    const { finish, values } = setUp(10);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 50; i++) finish('acme', { upstream: `http://u${i}.test`, upstreamMs: 1 });
    }
    finish('beta', { upstream: 'http://b.test', upstreamMs: 1 });
    const own = Array.from({ length: 8 }, (_, i) => [`acme http://u${i}.test`, 2]);
    expect(await values('gateway_upstream_latency_ms_count')).toEqual({
      ...Object.fromEntries(own),
      'acme other': 84,
      'beta http://b.test': 1,
    });
  });

  it('that were not called, or did not answer, are not counted', async () => {
    const { finish, values } = setUp(10);
    finish('acme');
    finish('acme', { upstream: 'http://u.test' });
    expect(await values('gateway_upstream_latency_ms_count')).toEqual({});
  });
});
