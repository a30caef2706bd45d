import { waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { GATEWAY_SECRET, serviceToken } from '../support/own-token-attacks';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { send } from '../support/traffic';
import { startUpstream, type TestUpstream } from '../support/upstream';

const REVOCATIONS = 60;

interface Issued {
  token: string;
  jti: string;
}

async function call(gateway: TestGateway, token: string) {
  const { status, body, headers } = await send(`${gateway.url}/published/x`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  const { code, detail } = JSON.parse(body) as { code?: string; detail?: string };
  return { status, code, detail, retryAfter: headers['retry-after'] };
}

describeRedis('service tokens on two replicas', () => {
  let redis: TestRedis;
  let upstream: TestUpstream;
  let replicas: TestGateway[];
  beforeAll(async () => {
    [redis, upstream] = await Promise.all([startRedis(), startUpstream()]);
    const env = { REDIS_URL: redis.url, GATEWAY_JWT_SECRET: GATEWAY_SECRET };
    replicas = await Promise.all([startGateway(env), startGateway(env)]);
    const [one] = replicas as [TestGateway];
    const rateLimit = { windowSeconds: 1, maxRequests: 1_000_000 };
    await one.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url, rateLimit });
    const service = await one.admin('POST', '/admin/tenants/acme/services', {
      name: 's',
      targets: [{ url: upstream.url }],
    });
    const backends = [{ service: (service.body as { id: string }).id }];
    const routes = [{ name: 'r', path: '/published', auth: { jwt: true, apiKey: false }, backends }];
    await one.admin('PUT', '/admin/tenants/acme/publication', { routes });
    for (const replica of replicas)
      await waitFor('the route', async () => (await call(replica, 'x')).status === 401);
  }, 30_000);
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.close()));
    await Promise.all([redis.stop(), upstream.stop()]);
  });

  const onAll = (token: string) => Promise.all(replicas.map((replica) => call(replica, token)));
  const issue = async (by: TestGateway): Promise<Issued> =>
    (await by.admin('POST', '/admin/tokens', { project: 'acme', service: 'web' })).body as Issued;
  const revoke = async (by: TestGateway, jti: string): Promise<unknown> =>
    (await by.admin('POST', `/admin/tokens/${jti}/revoke?wait=true`, { reason: 'lost' })).body;

  it('are served by none from the acknowledged answer on', async () => {
    const kept = await issue(replicas[0]!);
    const served: unknown[] = [];
    for (let i = 0; i < REVOCATIONS; i++) {
      const { token, jti } = await issue(replicas[i % 2]!);
      // Verified and kept by each, which must not outlive the revocation.
      for (const { status } of await onAll(token)) expect(status).toBe(200);
      const answer = (await revoke(replicas[(i + 1) % 2]!, jti)) as {
        confirmed: string[];
        missing: string[];
      };
      expect([answer.confirmed.length, answer.missing]).toEqual([2, []]);
      const after = [...(await onAll(token)), ...(await onAll(token))];
      served.push(...after.filter(({ detail }) => detail !== 'the token has been revoked'));
    }
    expect(served).toEqual([]);
    for (const { status } of await onAll(kept.token)) expect(status).toBe(200);
  }, 30_000);

  it('are judged by what is known while the store is away', async () => {
    const [known, revoked] = [await issue(replicas[0]!), await issue(replicas[1]!)];
    for (const { token } of [known, revoked])
      for (const { status } of await onAll(token)) expect(status).toBe(200);
    await revoke(replicas[0]!, revoked.jti);
    for (const { status } of await onAll(revoked.token)) expect(status).toBe(401);
    await redis.kill();
    let fresh = 0;
    for (const replica of replicas)
      await waitFor('a replica to notice', async () => {
        const unseen = await call(replica, serviceToken({ jti: `unseen-${++fresh}` }));
        return unseen.status === 503;
      });
    for (let i = 0; i < 3; i++) {
      for (const { status } of await onAll(known.token)) expect(status).toBe(200);
      for (const { status, detail } of await onAll(revoked.token))
        expect({ status, detail }).toEqual({ status: 401, detail: 'the token has been revoked' });
      for (const unseen of await onAll(serviceToken({ jti: `unseen-${++fresh}` }))) {
        expect(unseen).toMatchObject({ status: 503, code: 'store_unavailable' });
        expect(Number(unseen.retryAfter)).toBeGreaterThan(0);
      }
    }
  }, 30_000);
});
