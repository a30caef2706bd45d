import { hashApiKey } from '#libs/tenants';
import { startProcess, type TestProcess } from '../support/process';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { waitFor } from '../support/children';

const ADMIN_TOKEN = 'an-admin-token-for-tests';

describeRedis('WORKERS=2', () => {
  let redis: TestRedis;
  let upstream: TestUpstream;
  let gateway: TestProcess;

  beforeAll(async () => {
    redis = await startRedis();
    upstream = await startUpstream();
    const tenant = {
      name: 'ACME',
      upstreamBaseUrl: upstream.url,
      allowedRoutes: [{ path: '/' }],
      rateLimit: { windowSeconds: 60, maxRequests: 100_000 },
    };
    await redis.cli('SET', 'tenant:acme', JSON.stringify(tenant));
    await redis.cli('SET', `tenant:byApiKey:${hashApiKey('key')}`, 'acme');
    gateway = await startProcess({
      env: { WORKERS: '2', REDIS_URL: redis.url, ADMIN_TOKEN, HOST: '127.0.0.1', PORT: '0' },
    });
    await waitFor('both workers', () => listening().length === 2);
  });

  afterAll(async () => {
    await gateway.kill9();
    await upstream.stop();
    await redis.stop();
  });

  const listening = (): unknown[] => gateway.logs.filter(({ msg }) => msg === 'listening');
  const call = async (): Promise<number> =>
    (await fetch(`${gateway.url}/api/x`, { headers: { 'X-API-Key': 'key', Connection: 'close' } })).status;
  const scrape = async (): Promise<string> =>
    (await fetch(`${gateway.url}/metrics`, { headers: { 'X-Admin-Token': ADMIN_TOKEN } })).text();
  const counted = (text: string): number =>
    Number(/gateway_requests_total\{tenantId="acme",status="200"\} (\d+)/.exec(text)?.[1] ?? 0);

  it('share the port and the limits, and any of them answers a scrape for all', async () => {
    const statuses = await Promise.all(Array.from({ length: 60 }, call));
    expect(statuses.filter((status) => status === 200)).toHaveLength(60);
    await waitFor('the sum over both', async () => counted(await scrape()) === 60);
    expect(await redis.cli('ZCARD', 'gatehouse:replicas')).toBe('2');
    // The same sum, whichever worker is asked.
    for (let i = 0; i < 6; i++) expect(counted(await scrape())).toBe(60);
  });

  it('replaces a worker that dies, and goes on serving meanwhile', async () => {
    const { stdout } = await import('node:child_process').then(({ spawnSync }) =>
      spawnSync('ps', ['-o', 'pid=', '--ppid', String(gateway.pid)], { encoding: 'utf8' }),
    );
    const workers = stdout.trim().split(/\s+/).map(Number);
    expect(workers).toHaveLength(2);
    process.kill(workers[0] ?? 0, 'SIGKILL');
    await gateway.waitForLog(({ msg }) => msg === 'a worker died and is replaced');
    expect(await call()).toBe(200);
    await waitFor('the new worker', () => listening().length === 3, 10_000);
    expect(await call()).toBe(200);
  });

  it('all end on SIGTERM, with exit code 0', async () => {
    expect(await gateway.stop('SIGTERM', 15_000)).toBe(0);
    await expect(fetch(`${gateway.url}/livez`)).rejects.toThrow();
  });
});
