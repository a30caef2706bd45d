import { Agent } from 'node:http';
import { waitFor } from '../support/children';
import { startProcess } from '../support/process';
import { describeWorkers } from '../support/process-tree';
import { startRedis } from '../support/redis';
import { send, tally } from '../support/traffic';
import { startUpstream, type TestUpstream } from '../support/upstream';

let central: TestUpstream;
beforeAll(
  async () => void (central = await startUpstream((_request, response) => void response.end('central'))),
);
afterAll(() => central.stop());

interface Statistics {
  total_requests: number;
  forwarded: number;
  rate_limited: number;
}

const statisticsOf = async (gateway: { url: string }): Promise<Statistics> =>
  JSON.parse((await send(`${gateway.url}/stats`, { agent: new Agent() })).body) as Statistics;

it('the data plane alone is one by CENTRAL_API_URL alone', async () => {
  const gateway = await startProcess({
    entry: 'dist/apps/data-plane/src/main.js',
    env: { CENTRAL_API_URL: central.url },
  });
  const paths = ['/v1/x', '/api/x', '/docs', '/health', '/stats', '/metrics', '/admin/tenants'];
  const answers = await Promise.all(paths.map((path) => send(gateway.url + path)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 503, 404]);
  expect(answers.slice(0, 3).map(({ body }) => body)).toEqual(['central', 'central', 'central']);
  expect(JSON.parse(answers[3]?.body ?? '')).toMatchObject({ status: 'healthy', region: 'default', central_api: central.url });
  expect(await gateway.stop()).toBe(0);
}); // prettier-ignore

it('a start with bad values is refused, a line for each', async () => {
  const env = {
    CENTRAL_API_URL: 'api:8000', IP_ALLOWLIST: '10.0.0.0/8,everybody', MAX_RETRIES: 'many', ENABLE_HMAC_SIGNING: 'true',
    PROXY_PROTOCOL: 'accept',
  }; // prettier-ignore
  const gateway = await startProcess({ env, until: 'spawned' });
  expect((await gateway.exited).code).toBe(78);
  const lines = gateway.stderr().trim().split('\n');
  expect(lines.map((line) => /^gatehouse: ([A-Z_]+) /.exec(line)?.[1]).sort()).toEqual(
    Object.keys(env).sort(),
  );
  expect(lines.join()).toContain("has 'everybody', which must be an address");
});

describeWorkers('WORKERS=2', () => {
  it('share the limits of clients, and either of them answers /stats for both', async () => {
    const redis = await startRedis();
    const env = { WORKERS: '2', REDIS_URL: redis.url, CENTRAL_API_URL: central.url, RATE_LIMIT_PER_IP: '10' };
    const gateway = await startProcess({ env });
    await waitFor('both workers', () => gateway.logs.filter(({ msg }) => msg === 'listening').length === 2, 15_000);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => send(`${gateway.url}/v1`, { agent: new Agent() })),
    );
    const { 200: passed = 0, 429: limited = 0 } = tally(outcomes);
    // Six seconds refill one.
    expect([passed >= 10 && passed <= 12, passed + limited]).toEqual([true, 20]);
    const seen = await waitFor('the sum over both', async () => {
      const statistics = await statisticsOf(gateway);
      return statistics.total_requests === 20 && statistics;
    });
    expect(seen).toMatchObject({ forwarded: passed, rate_limited: limited, region: 'default' });
    expect(await statisticsOf(gateway)).toEqual(seen);
    expect(await gateway.stop()).toBe(0);
    await redis.stop();
  }); // prettier-ignore
});
