import { startCached, type Cached, type CacheSetup } from '../data-plane/cache-setup';
import { waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { describeRedis, startRedis } from '../support/redis';
import { send } from '../support/traffic';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { startStage } from './stage';

interface Explanation {
  outcome: string;
  status: number | null;
  cache?: {
    rule: string;
    answer: string;
    reason?: string;
    key?: object;
    tiers?: string[];
    stored?: Record<string, unknown>;
  };
  target?: { url: string; breaker?: string; retries?: object; mirror?: object };
  judgements: Array<{ guard: string; code?: string; reason?: string; details?: Record<string, unknown> }>;
}

type Headers = Record<string, string>;

describe('explanations of the response cache', () => {
  let setup: CacheSetup;
  beforeAll(async () => {
    setup = await startCached();
  });

  const explain = async (
    { key }: { key: string },
    path: string,
    headers: Headers = {},
    method = 'GET',
  ): Promise<Explanation> => {
    const question = { method, path, headers: { Host: 'api.test', 'X-API-Key': key, ...headers } };
    return (await setup.gateway.admin('POST', '/admin/explain', question)).body as Explanation;
  };
  const get = (cached: Cached, path: string, headers: Headers = {}) =>
    cached.get(path, { Host: 'api.test', ...headers });
  const purge = (cached: Cached, body: object) =>
    setup.gateway.admin('POST', `/admin/tenants/${cached.id}/cache/purge?wait=true`, body);

  it('say by which rule and key a request could be answered, and what is stored, touching nothing', async () => {
    const cached = await setup.cached({ varyOn: ['Accept-Language'], keyQuery: { ignore: ['utm'] } });
    const before = await explain(cached, '/api/a?page=2&utm=x');
    expect(before).toMatchObject({ outcome: 'forward', target: { url: cached.upstream.url } });
    expect(before.cache).toEqual({
      rule: 'tenant',
      answer: 'miss',
      tiers: ['memory'],
      key: {
        host: 'api.test',
        target: '/api/a?page=2',
        headers: ['accept-language'],
        identity: 'anybody',
      },
    });
    await get(cached, '/api/a?page=2');
    const { body } = await setup.gateway.admin('GET', `/admin/tenants/${cached.id}/cache`);
    for (let i = 0; i < 5; i++)
      expect((await explain(cached, '/api/a?utm=y&page=2')).cache).toMatchObject({
        answer: 'hit',
        stored: { tier: 'memory', status: 200, purged: false, vary: [] },
      });
    expect((await explain(cached, '/api/a?page=2', { 'Accept-Language': 'de' })).cache?.answer).toBe('miss');
    expect(cached.asked()).toBe(1);
    // Statistics count requests, and these were none.
    expect((await setup.gateway.admin('GET', `/admin/tenants/${cached.id}/cache`)).body).toEqual(body);
  });

  it('say how old it is, that it was purged, and what the request itself asks for', async () => {
    const cached = await setup.cached({}, () => ({
      headers: { 'Cache-Control': 'max-age=100, stale-while-revalidate=60', Age: '40', ETag: '"1"' },
    }));
    await get(cached, '/api/a');
    const { cache } = await explain(cached, '/api/a');
    expect(cache?.stored).toMatchObject({ ageSeconds: expect.any(Number), ttlSeconds: expect.any(Number) });
    const { ageSeconds, ttlSeconds } = cache?.stored as { ageSeconds: number; ttlSeconds: number };
    expect([ageSeconds >= 40, ttlSeconds <= 60]).toEqual([true, true]);
    const rows: Array<[headers: Headers, answer: string, reason?: string]> = [
      [{ 'Cache-Control': 'max-age=1' }, 'revalidate'],
      [{ 'Cache-Control': 'no-store' }, 'bypass', 'request'],
      [{ 'If-Match': '"1"' }, 'bypass', 'header'],
      [{ 'Content-Length': '1' }, 'bypass', 'body'],
      [{ Authorization: 'Basic eA==' }, 'miss'],
    ];
    for (const [headers, answer, reason] of rows)
      expect((await explain(cached, '/api/a', headers)).cache).toMatchObject(
        reason === undefined ? { answer } : { answer, reason },
      );
    expect((await explain(cached, '/api/a', { Authorization: 'Basic eA==' })).cache?.key).toMatchObject({
      identity: 'own',
    });
    expect((await explain(cached, '/api/a', {}, 'POST')).cache).toEqual({
      rule: 'tenant',
      answer: 'bypass',
      reason: 'method',
    });
    await purge(cached, { urls: ['/api/a'], soft: true });
    expect((await explain(cached, '/api/a')).cache).toMatchObject({
      answer: 'stale',
      stored: { purged: true },
    });
    await purge(cached, { everything: true });
    expect((await explain(cached, '/api/a')).cache).toMatchObject({ answer: 'miss' });
  });

  it('say what is refused although all guards pass, and what is answered although no upstream may be asked', async () => {
    const cached = await setup.cached({}, undefined, { breaker: {}, retries: { attempts: 3 } });
    await get(cached, '/api/a');
    await setup.gateway.admin('POST', `/admin/tenants/${cached.id}/breaker`, { action: 'open' });
    const stored = await explain(cached, '/api/a');
    expect(stored).toMatchObject({ outcome: 'forward', cache: { answer: 'hit' } });
    expect((await get(cached, '/api/a')).status).toBe(200);
    const other = await explain(cached, '/api/b');
    expect(other).toMatchObject({ outcome: 'refuse', status: 503, cache: { answer: 'miss' } });
    expect(other.judgements.at(-1)).toMatchObject({ guard: 'upstream', code: 'circuit_open' });
    expect(other.target).toEqual({
      url: cached.upstream.url,
      breaker: 'forced_open',
      retries: { attempts: 3, repeatable: true },
      trouble: 'circuit_open',
    });
    const only = { 'Cache-Control': 'only-if-cached' };
    expect(await explain(cached, '/api/b', only)).toMatchObject({
      outcome: 'refuse',
      status: 504,
      cache: { answer: 'refuse', reason: 'only-if-cached' },
    });
    expect((await get(cached, '/api/b', only)).status).toBe(504);
  });

  it('name the nearest rule, and the mirror that would get a copy', async () => {
    const mirror = { url: cachedMirror.url };
    const cached = await setup.cached({ ttlSeconds: 5 }, undefined, {
      allowedRoutes: [
        { path: '/v1', cache: { ttlSeconds: 9 }, mirror },
        { path: '/off', cache: { enabled: false } },
        { path: '/' },
      ],
    });
    const own = await explain(cached, '/api/v1');
    expect(own.cache?.rule).toBe('route /v1');
    expect(own.target?.mirror).toEqual({ to: mirror.url, percent: 100, copied: true });
    expect((await explain(cached, '/api/v1', {}, 'DELETE')).target?.mirror).toMatchObject({ copied: false });
    expect((await explain(cached, '/api/off')).cache).toEqual({
      rule: 'route /off',
      answer: 'bypass',
      reason: 'disabled',
    });
    expect((await explain(cached, '/api/x')).cache?.rule).toBe('tenant');
    const plain = await setup.upstream(undefined, { id: 'plain' });
    const { cache, target } = await explain(plain, '/api/x');
    expect([cache, target]).toEqual([undefined, { url: plain.url }]);
  });

  let cachedMirror: TestUpstream;
  beforeAll(async () => {
    cachedMirror = await startUpstream();
  });
  afterAll(() => cachedMirror.stop());
});

it('names only those issuers that the settings give keys for', async () => {
  const stage = await startStage({ env: { GATEWAY_JWT_SECRET: 'a-secret-of-more-than-32-bytes-0123' } });
  const tenant = { id: 'acme', name: 'A', upstreamBaseUrl: 'https://a.example', auth: { jwt: true } };
  await stage.call('POST', '/admin/tenants', { ...tenant, allowedRoutes: [{ path: '/' }] });
  const { body } = await stage.call('POST', '/admin/tenants/acme/api-keys', { name: 'k' });
  const headers = { 'X-API-Key': (body as { key: string }).key };
  const asked = await stage.call('POST', '/admin/explain', { method: 'GET', path: '/api/x', headers });
  const { judgements } = asked.body as Explanation;
  expect(judgements.find(({ guard }) => guard === 'jwt')?.details).toEqual({
    required: true,
    issuers: ['gateway'],
  });
});

describeRedis('a control plane by itself', () => {
  it('finds what replicas share in Redis, and the breakers that are held there', async () => {
    const redis = await startRedis();
    const upstream = await startUpstream((_request, response) => {
      response.setHeader('Cache-Control', 'max-age=60').end('x');
    });
    const gateway: TestGateway = await startGateway({ REDIS_URL: redis.url });
    const alone = await startStage({ env: { REDIS_URL: redis.url } });
    const tenant = { id: 'acme', upstreamBaseUrl: upstream.url, cache: {}, breaker: {} };
    const headers = { Host: 'api.test', 'X-API-Key': await gateway.addTenant(tenant) };
    const explain = async (path: string): Promise<Explanation> =>
      (await alone.call('POST', '/admin/explain', { method: 'GET', path, headers })).body as Explanation;
    expect(await explain('/api/a')).toMatchObject({ cache: { answer: 'miss', tiers: ['redis'] } });
    await send(`${gateway.url}/api/a`, { headers });
    await waitFor('it to be shared', async () => (await explain('/api/a')).cache?.answer === 'hit');
    expect((await explain('/api/a')).cache?.stored).toMatchObject({ tier: 'redis' });
    await gateway.admin('POST', '/admin/tenants/acme/breaker', { action: 'open' });
    expect(await explain('/api/b')).toMatchObject({
      outcome: 'refuse',
      status: 503,
      target: { breaker: 'forced_open' },
    });
    expect(upstream.requests).toHaveLength(1);
    await Promise.all([gateway.close(), alone.close(), upstream.stop()]);
    await redis.stop();
  });
});
