import { startForwarding, type Forwarding } from '../support/forwarding';
import { metric } from '../support/outcomes';
import { parseResponse, type RawResponse } from '../support/raw-request';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';

const LIMIT = { windowSeconds: 3600, maxRequests: 17 };

async function call(forwarding: Forwarding, key: string, path: string): Promise<RawResponse> {
  const client = await forwarding.send(key, `GET ${path}`, { Connection: 'close' });
  await client.closed;
  return parseResponse(client.received());
}

function guarantees(environment: () => Record<string, string>): void {
  let forwarding: Forwarding;
  beforeAll(async () => {
    forwarding = await startForwarding(environment());
  });

  it('lets exactly maxRequests of 50 parallel requests pass, and the upstream see no more', async () => {
    const upstream = await forwarding.upstream(undefined, { rateLimit: LIMIT });
    const responses = await Promise.all(
      Array.from({ length: 50 }, () => call(forwarding, upstream.key, '/api/parallel')),
    );
    const count = (status: number): number =>
      responses.filter((response) => response.status === status).length;
    expect({ passed: count(200), limited: count(429) }).toEqual({ passed: 17, limited: 33 });
    expect(upstream.requests).toHaveLength(17);
    const lines = forwarding.gateway.logs.filter((line) => line.path === '/api/parallel');
    expect(lines.filter((line) => line.msg === 'request')).toHaveLength(50);
    const tenantId = String(lines[0]?.tenantId);
    expect(await metric(forwarding.gateway, 'gateway_rate_limited_total', `tenantId="${tenantId}"`)).toBe(33);
    expect(
      await metric(forwarding.gateway, 'gateway_requests_total', `tenantId="${tenantId}",status="429"`),
    ).toBe(33);
    expect(
      await metric(forwarding.gateway, 'gateway_requests_total', `tenantId="${tenantId}",status="200"`),
    ).toBe(17);
  });

  it('says when to come back, and what the limit is', async () => {
    const upstream = await forwarding.upstream(undefined, {
      rateLimit: { windowSeconds: 3600, maxRequests: 2 },
    });
    for (const _ of [1, 2]) expect((await call(forwarding, upstream.key, '/api/x')).status).toBe(200);
    const { status, headers, body } = await call(forwarding, upstream.key, '/api/x');
    expect(status).toBe(429);
    // Two tokens an hour: the next one comes in half an hour.
    const seconds = Number(headers['retry-after']);
    expect(seconds).toBeGreaterThan(1700);
    expect(seconds).toBeLessThanOrEqual(1800);
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ratelimit: `"tenant";r=0;t=${seconds}`,
      'ratelimit-policy': '"tenant";q=2;w=3600',
    });
    expect(JSON.parse(body)).toEqual({
      type: 'urn:gatehouse:error:rate_limited',
      title: 'The rate limit is reached',
      status: 429,
      code: 'rate_limited',
      detail: `the limit of the tenant: try again in ${seconds} s`,
      requestId: headers['x-request-id'],
    });
  });

  it('does not count requests that were refused before', async () => {
    const upstream = await forwarding.upstream(undefined, {
      rateLimit: { windowSeconds: 3600, maxRequests: 1 },
      allowedRoutes: [{ path: '/open' }],
    });
    for (let round = 0; round < 5; round++) {
      expect((await call(forwarding, upstream.key, '/api/closed')).status).toBe(403);
    }
    expect((await call(forwarding, upstream.key, '/api/open')).status).toBe(200);
    expect((await call(forwarding, upstream.key, '/api/open')).status).toBe(429);
  });

  it('is each tenant’s own', async () => {
    const tenant = { rateLimit: { windowSeconds: 3600, maxRequests: 1 } };
    const [one, other] = [
      await forwarding.upstream(undefined, tenant),
      await forwarding.upstream(undefined, tenant),
    ];
    expect((await call(forwarding, one.key, '/api/x')).status).toBe(200);
    expect((await call(forwarding, one.key, '/api/x')).status).toBe(429);
    expect((await call(forwarding, other.key, '/api/x')).status).toBe(200);
  });
}

describe('the rate limit (embedded)', () => guarantees(() => ({})));

describeRedis('the rate limit (Redis)', () => {
  let redis: TestRedis;
  beforeAll(async () => void (redis = await startRedis()));
  afterAll(() => redis.stop());
  guarantees(() => ({ REDIS_URL: redis.url }));

  it('is shared by all gateways of one Redis', async () => {
    const [one, other] = [
      await startForwarding({ REDIS_URL: redis.url }),
      await startForwarding({ REDIS_URL: redis.url }),
    ];
    const upstream = await one.upstream(undefined, { id: 'shared', rateLimit: LIMIT });
    const responses = await Promise.all(
      Array.from({ length: 50 }, (_, number) => call(number % 2 ? one : other, upstream.key, '/api/x')),
    );
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(17);
    expect(responses.filter(({ status }) => status === 429)).toHaveLength(33);
  });
});
