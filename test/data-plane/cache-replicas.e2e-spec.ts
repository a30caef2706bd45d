import { waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { send, type Outcome } from '../support/traffic';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { cacheStatus } from './cache-setup';

const HOST = { Host: 'api.test' };

describeRedis('two replicas on one Redis', () => {
  let redis: TestRedis;
  let upstream: TestUpstream;
  let one: TestGateway;
  let other: TestGateway;
  let key: string;

  beforeAll(async () => {
    redis = await startRedis();
    upstream = await startUpstream((request, response) => {
      response.setHeader('Cache-Control', 'max-age=60, stale-if-error=60');
      response.setHeader('Vary', 'Accept-Language');
      response.setHeader('Surrogate-Key', `all page-${(request.url ?? '').slice(1, 2)}`);
      response.end(`answer ${upstream.requests.length}`);
    });
    const env = { REDIS_URL: redis.url, CACHE_REDIS_BYTES: '30000' };
    [one, other] = await Promise.all([startGateway(env), startGateway(env)]);
    const limit = { windowSeconds: 1, maxRequests: 1_000_000 };
    key = await one.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url, cache: {}, rateLimit: limit });
  }, 30_000);
  afterAll(async () => {
    await Promise.all([one.close(), other.close()]);
    await upstream.stop();
    await redis.stop();
  });

  const get = (gateway: TestGateway, path: string, headers: Record<string, string> = {}): Promise<Outcome> =>
    send(gateway.url + path, { headers: { ...HOST, 'X-API-Key': key, ...headers } });
  const isHit = async (gateway: TestGateway, path: string): Promise<boolean> =>
    /; hit;/.test(cacheStatus(await get(gateway, path)));
  const stored = async (): Promise<{ entries: number; bytes: number }> => {
    const { body } = await one.admin('GET', '/admin/tenants/acme/cache');
    return (body as { shared: { entries: number; bytes: number } }).shared;
  };
  const purge = async (body: object, wait = '?wait=true'): Promise<unknown> =>
    (await one.admin('POST', `/admin/tenants/acme/cache/purge${wait}`, body)).body;

  it('share what one of them has stored, variants and all', async () => {
    await get(one, '/api/a', { 'Accept-Language': 'de' });
    await waitFor('it to be shared', async () => (await stored()).entries === 2);
    const shared = await get(other, '/api/a', { 'Accept-Language': 'de' });
    expect([shared.body, cacheStatus(shared)]).toEqual(['answer 1', expect.stringMatching(/; hit;/)]);
    expect((await get(other, '/api/a', { 'Accept-Language': 'en' })).body).toBe('answer 2');
  });

  it('both follow a purge before it is answered: by URL, prefix, tag, route, and of everything', async () => {
    const rows: Array<[about: object, gone: string[], kept: string[]]> = [
      [{ urls: ['/api/b?q=1'] }, ['/api/b?q=1'], ['/api/b', '/api/c']],
      [{ prefixes: ['/api/b'] }, ['/api/b', '/api/b?q=1'], ['/api/c']],
      [{ tags: ['page-c'] }, ['/api/c'], ['/api/b']],
      [{ routes: ['/none'] }, [], ['/api/b', '/api/c']],
      [{ routes: ['/'] }, ['/api/b', '/api/c'], []],
      [{ everything: true }, ['/api/b', '/api/c'], []],
    ];
    for (const [about, gone, kept] of rows) {
      for (const path of [...gone, ...kept]) for (const gateway of [one, other]) await get(gateway, path);
      expect(await purge(about)).toMatchObject({
        purged: true,
        confirmed: [expect.any(String), expect.any(String)],
        missing: [],
      });
      const before = upstream.requests.length;
      for (const path of kept)
        expect([about, path, await isHit(one, path), await isHit(other, path)]).toEqual([
          about,
          path,
          true,
          true,
        ]);
      expect([about, upstream.requests.length]).toEqual([about, before]);
      for (const path of gone) expect([about, path, await isHit(other, path)]).toEqual([about, path, false]);
      expect(upstream.requests).toHaveLength(before + gone.length);
    }
  });

  it('a soft purge leaves what may stand in for a failing upstream', async () => {
    await get(one, '/api/s');
    await purge({ urls: ['/api/s'], soft: true });
    const asked = upstream.requests.length;
    expect(await isHit(one, '/api/s')).toBe(false);
    expect(upstream.requests).toHaveLength(asked + 1);
  });

  it('an unsafe request to one of them is heard of by the other', async () => {
    for (const gateway of [one, other]) await get(gateway, '/api/u');
    expect(await isHit(other, '/api/u')).toBe(true);
    await send(`${one.url}/api/u`, { method: 'POST', body: {}, headers: { ...HOST, 'X-API-Key': key } });
    await waitFor('the other to ask anew', async () => !(await isHit(other, '/api/u')));
  });

  it('what they share stays within its bound', async () => {
    for (let i = 0; i < 60; i++) await get(one, `/api/n?${i}`);
    await waitFor('some to be shared', async () => (await stored()).entries > 10);
    expect((await stored()).bytes).toBeLessThanOrEqual(30_000);
    expect(Number(await redis.cli('DBSIZE'))).toBeLessThan(120);
  });

  it('go on with their memory and the upstream while Redis is away, and nothing of a removed tenant is left', async () => {
    await get(one, '/api/away');
    await redis.kill();
    await waitFor('Redis to be missed', () => one.logs.some(({ msg }) => /is away/.test(String(msg))));
    expect(await isHit(one, '/api/away')).toBe(true);
    expect((await get(one, '/api/another')).status).toBe(200);
    expect(await isHit(one, '/api/another')).toBe(true);
  });
});
