import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { codeOf, startServices, type MadeKey, type ServiceSetup } from './service-setup';

const HOUR = 3600;

function guarantees(environment: () => Record<string, string>): void {
  let setup: ServiceSetup;
  let upstream: TestUpstream;
  let tenant: { id: string };
  let serviceId: string;
  beforeAll(async () => {
    [setup, upstream] = await Promise.all([startServices(environment()), startUpstream()]);
    tenant = await setup.tenant();
    serviceId = await setup.service(tenant.id, upstream.url);
  });
  afterAll(() => upstream.stop());

  const url = (): string => `/proxy/${serviceId}`;
  const keyWith = (fields: object): Promise<MadeKey> => setup.key(tenant.id, { serviceId, ...fields });
  const call = (key: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(setup.gateway.url + url(), { headers: { 'X-API-Key': key, ...headers } });
  const change = async (id: string, method: string, path: string, body?: object): Promise<unknown> => {
    const answer = await setup.gateway.admin(
      method,
      `/admin/tenants/${tenant.id}/api-keys/${id}${path}`,
      body,
    );
    expect(answer.status).toBeLessThan(300);
    return answer.body;
  };

  /**
   * Calls again and again until the key is refused. The clock of the test is that of the gateway: what was asked for
   * before the end passes, what is answered after it does not.
   */
  async function expectEndAt(key: string, endsAt: number): Promise<void> {
    let passed = 0;
    for (;;) {
      const from = Date.now();
      const response = await call(key);
      await response.arrayBuffer();
      const to = Date.now();
      if (response.status !== 200) {
        expect(response.status).toBe(401);
        expect(to).toBeGreaterThanOrEqual(endsAt);
        break;
      }
      expect(from).toBeLessThan(endsAt);
      passed += 1;
    }
    expect(passed).toBeGreaterThan(0);
    const late = await call(key);
    expect([late.status, await late.json()]).toMatchObject([401, { code: 'key_expired' }]);
  }

  it('limits each key by itself, and says so in every header there is for it', async () => {
    const rateLimit = { windowSeconds: HOUR, maxRequests: 2 };
    const [one, two] = [await keyWith({ rateLimit }), await keyWith({ rateLimit })];
    const first = await call(one.key);
    expect(first.status).toBe(200);
    expect(first.headers.get('ratelimit-policy')).toContain(`"key";q=2;w=${HOUR}`);
    expect(first.headers.get('ratelimit')).toMatch(/"key";r=1;t=/);
    expect(first.headers.get('x-ratelimit-limit')).toBe('2');
    expect(first.headers.get('x-ratelimit-remaining')).toBe('1');
    expect((await call(one.key)).status).toBe(200);
    const before = upstream.requests.length;
    const limited = await call(one.key);
    expect(limited.status).toBe(429);
    const seconds = Number(limited.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(HOUR / 2 - 60);
    expect(seconds).toBeLessThanOrEqual(HOUR / 2);
    expect(limited.headers.get('ratelimit')).toContain(`"key";r=0;t=${seconds}`);
    expect(limited.headers.get('ratelimit-policy')).toContain(`"key";q=2;w=${HOUR}`);
    expect(limited.headers.get('x-ratelimit-limit')).toBe('2');
    expect(limited.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(limited.headers.get('x-ratelimit-reset')).toBe(String(seconds));
    expect(codeOf({ body: await limited.text() })).toBe('rate_limited');
    expect(upstream.requests).toHaveLength(before);
    expect((await call(two.key)).status).toBe(200);
  });

  it('lets exactly maxRequests of 60 parallel requests pass', async () => {
    const { key } = await keyWith({ rateLimit: { windowSeconds: 86_400, maxRequests: 23 } });
    const responses = await Promise.all(Array.from({ length: 60 }, () => call(key)));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(23);
    expect(responses.filter(({ status }) => status === 429)).toHaveLength(37);
  });

  it('lets exactly the monthly quota of 500 parallel requests pass', async () => {
    const { key } = await keyWith({ monthlyQuota: 120 });
    const before = upstream.requests.length;
    const responses = await Promise.all(Array.from({ length: 500 }, () => call(key)));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(120);
    expect(upstream.requests.length - before).toBe(120);
    const refused = responses.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(380);
    const codes = await Promise.all(refused.map(async (answer) => codeOf({ body: await answer.text() })));
    expect(new Set(codes)).toEqual(new Set(['quota_exceeded']));
    const until = Number(refused[0]?.headers.get('retry-after'));
    expect(until).toBeGreaterThan(0);
    expect(until).toBeLessThanOrEqual(31 * 86_400);
  });

  it('raises a quota that is used up, at once', async () => {
    const { id, key } = await keyWith({ monthlyQuota: 1 });
    expect([(await call(key)).status, (await call(key)).status]).toEqual([200, 429]);
    await change(id, 'PATCH', '?wait=true', { monthlyQuota: 2 });
    expect([(await call(key)).status, (await call(key)).status]).toEqual([200, 429]);
  });

  it('ends a key when it expires, to the millisecond', async () => {
    const endsAt = Date.now() + 1200;
    const { key } = await keyWith({ expiresAt: new Date(endsAt).toISOString() });
    await expectEndAt(key, endsAt);
  });

  it('ends a rotated key when its time of grace is over, to the millisecond, and not the new one', async () => {
    const { id, key } = await keyWith({});
    const made = (await change(id, 'POST', '/rotate?wait=true', { graceSeconds: 1 })) as MadeKey;
    const { validUntil } = (await change(id, 'GET', '')) as { validUntil: string };
    expect((await call(made.key)).status).toBe(200);
    await expectEndAt(key, Date.parse(validUntil));
    expect((await call(made.key)).status).toBe(200);
  });

  it('refuses a disabled key before the upstream is touched, and takes it again when it is enabled', async () => {
    const { id, key } = await keyWith({});
    expect((await call(key)).status).toBe(200);
    await change(id, 'PATCH', '?wait=true', { enabled: false });
    const before = upstream.requests.length;
    const refused = await call(key);
    expect([refused.status, codeOf({ body: await refused.text() })]).toEqual([401, 'key_disabled']);
    expect(upstream.requests).toHaveLength(before);
    await change(id, 'PATCH', '?wait=true', { enabled: true });
    expect((await call(key)).status).toBe(200);
  });

  it('has dropped a revoked key when it says so', async () => {
    const { id, key } = await keyWith({});
    expect((await call(key)).status).toBe(200);
    expect(await change(id, 'DELETE', '?wait=true')).toMatchObject({ revoked: true, missing: [] });
    expect((await call(key)).status).toBe(401);
  });

  it.each([
    [['127.0.0.1'], 200],
    [['10.0.0.0/8', '127.0.0.0/8'], 200],
    [['::/0', '203.0.113.7'], 403],
    [['127.0.0.2'], 403],
  ])('takes a key from the addresses %j only: %d', async (allowedIps, status) => {
    const { key } = await keyWith({ allowedIps });
    // Nobody is believed who is not a trusted proxy.
    const response = await call(key, { 'X-Forwarded-For': '203.0.113.7', Forwarded: 'for=203.0.113.7' });
    expect(response.status).toBe(status);
    if (status === 403) expect(codeOf({ body: await response.text() })).toBe('address_not_allowed');
  });
}

describe('the terms of a key to a service (embedded)', () => guarantees(() => ({})));

describeRedis('the terms of a key to a service (Redis)', () => {
  let redis: TestRedis;
  beforeAll(async () => void (redis = await startRedis()));
  afterAll(() => redis.stop());
  guarantees(() => ({ REDIS_URL: redis.url }));
});
