import { waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { metric } from '../support/outcomes';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { startUpstream, type TestUpstream } from '../support/upstream';

describeRedis('a change of an API key that everybody is said to have followed', () => {
  let redis: TestRedis;
  let wire: TcpProxy;
  let upstream: TestUpstream;
  let near: TestGateway;
  let far: TestGateway;
  beforeAll(async () => {
    [redis, upstream] = await Promise.all([startRedis(), startUpstream()]);
    wire = await startTcpProxy(redis.port);
    near = await startGateway({ REDIS_URL: redis.url });
    far = await startGateway({ REDIS_URL: `redis://127.0.0.1:${wire.port}` });
    await near.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url });
  });
  afterAll(async () => {
    await Promise.all([near.close(), far.close()]);
    await Promise.all([wire.stop(), redis.stop(), upstream.stop()]);
  });

  const call = async (key: string): Promise<number> => {
    const response = await fetch(`${far.url}/api/x`, { headers: { 'X-API-Key': key } });
    await response.arrayBuffer();
    return response.status;
  };
  const feed = (up: 0 | 1): Promise<unknown> =>
    waitFor(`the feed at ${up}`, async () => (await metric(far, 'gateway_config_feed_up')) === up, 10_000);

  it.each<[what: string, method: string, path: string, body: object | undefined]>([
    ['revoked', 'DELETE', '', undefined],
    ['disabled', 'PATCH', '', { enabled: false }],
    ['rotated', 'POST', '/rotate', { graceSeconds: 0 }],
  ])(
    '%s is not undone by a replica that missed it and then loses the store',
    async (_what, method, path, body) => {
      const made = (await near.admin('POST', '/admin/tenants/acme/api-keys', { name: 'k' })).body as MadeKey;
      expect(await call(made.key)).toBe(200);
      // From here on it knows only that anything may have changed.
      wire.cut();
      await feed(0);
      wire.mend();
      await feed(1);
      const url = `/admin/tenants/acme/api-keys/${made.id}${path}?wait=true`;
      // Its heartbeat may have to reach the store first.
      const answer = await near.admin(method, url, body);
      expect(answer.body).toMatchObject({ missing: [] });
      expect((answer.body as { confirmed: string[] }).confirmed).toHaveLength(2);
      wire.cut();
      expect([401, 503]).toContain(await call(made.key));
      wire.mend();
      await feed(1);
    },
  );
});

interface MadeKey {
  id: string;
  key: string;
}
