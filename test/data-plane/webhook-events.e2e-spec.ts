import { waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { startUpstream, type TestUpstream } from '../support/upstream';

interface Told {
  type: string;
  data: Record<string, unknown>;
}

describeRedis('webhooks of what the data plane sees', () => {
  let redis: TestRedis;
  let upstream: TestUpstream;
  let receiver: TestUpstream;
  let gateway: TestGateway;
  const told: Told[] = [];
  let status = 503;
  beforeAll(async () => {
    redis = await startRedis();
    upstream = await startUpstream((_request, response) => void response.writeHead(status).end());
    receiver = await startUpstream((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        told.push(JSON.parse(body) as Told);
        response.writeHead(204).end();
      });
    });
    gateway = await startGateway({ REDIS_URL: redis.url });
    await gateway.admin('POST', '/admin/webhooks', {
      url: receiver.url,
      events: ['breaker.opened', 'breaker.closed', 'limit.degraded'],
    });
  });
  afterAll(async () => {
    await gateway.close();
    await Promise.all([redis.stop(), upstream.stop(), receiver.stop()]);
  });

  it('tell that a breaker has opened and closed', async () => {
    const breaker = { failures: 2, openMs: 100, probes: 1 };
    const key = await gateway.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url, breaker });
    const call = async (): Promise<number> =>
      (await fetch(`${gateway.url}/api/x`, { headers: { 'X-API-Key': key } })).status;
    for (let i = 0; i < 3; i++) await call();
    await waitFor('the opening', () => told.some(({ type }) => type === 'breaker.opened'), 10_000);
    status = 200;
    await waitFor('service', async () => (await call()) === 200, 10_000);
    await waitFor('the closing', () => told.some(({ type }) => type === 'breaker.closed'), 10_000);
    const [opened] = told;
    expect(opened).toMatchObject({
      type: 'breaker.opened',
      data: { tenantId: 'acme', target: expect.stringContaining(upstream.url) as string },
    });
  });

  it('tell afterwards that the limiter was on its own', async () => {
    const key = { 'X-API-Key': 'unknown' };
    const answer = async (): Promise<number> =>
      (await fetch(`${gateway.url}/api/x`, { headers: key })).status;
    redis.pause();
    await waitFor('the loss', async () => (await answer()) === 503, 10_000);
    const lost = Date.now();
    // It is looked at once a second.
    await waitFor('a look', () => Date.now() - lost > 1200);
    redis.resume();
    await waitFor('the event', () => told.some(({ type }) => type === 'limit.degraded'), 15_000);
    const event = told.find(({ type }) => type === 'limit.degraded');
    expect(Date.parse(event?.data.from as string)).toBeLessThan(Date.parse(event?.data.to as string));
  });
});
