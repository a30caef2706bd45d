import { waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { startUpstream, type TestUpstream } from '../support/upstream';

describeRedis('what is published', () => {
  let redis: TestRedis;
  let upstream: TestUpstream;
  let replicas: TestGateway[];
  let service: string;
  beforeAll(async () => {
    [redis, upstream] = await Promise.all([startRedis(), startUpstream()]);
    replicas = await Promise.all([1, 2].map(() => startGateway({ REDIS_URL: redis.url })));
    const [first] = replicas as [TestGateway];
    await first.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url });
    const fields = { name: 's', targets: [{ url: upstream.url }] };
    service = ((await first.admin('POST', '/admin/tenants/acme/services', fields)).body as { id: string }).id;
  });
  afterAll(async () => {
    await Promise.all([...replicas.map((replica) => replica.close()), upstream.stop()]);
    await redis.stop();
  });

  const routes = (...paths: string[]): object => ({
    routes: paths.map((path, i) => ({ name: `r${i}`, path, backends: [{ service }] })),
  });
  const statusAt = async (replica: TestGateway, path: string): Promise<number> => {
    const response = await fetch(replica.url + path);
    await response.arrayBuffer();
    return response.status;
  };
  const everywhere = (path: string, status: number): Promise<boolean> =>
    waitFor(`${path} to be ${status} everywhere`, async () => {
      const statuses = await Promise.all(replicas.map((replica) => statusAt(replica, path)));
      return statuses.every((one) => one === status);
    });

  it('through one replica is served by all, and so is every change, whoever makes it', async () => {
    const [first] = replicas as [TestGateway];
    expect((await first.admin('PUT', '/admin/tenants/acme/publication', routes('/a'))).status).toBe(200);
    await everywhere('/a/x', 200);
    await redis.cli('SET', 'tenant:publication:acme', JSON.stringify(routes('/b')));
    await everywhere('/b', 200);
    await everywhere('/a/x', 404);
    await redis.cli('SET', 'tenant:publication:acme', '{"routes": [');
    await everywhere('/b', 503);
    expect((await first.admin('DELETE', '/admin/tenants/acme/publication')).status).toBe(204);
    await everywhere('/b', 404);
  });

  it('is not said to be missing by a replica that could not read it yet, and is served while Redis is away', async () => {
    const [first] = replicas as [TestGateway];
    expect((await first.admin('PUT', '/admin/tenants/acme/publication', routes('/c'))).status).toBe(200);
    await everywhere('/c', 200);
    redis.pause();
    const late = await startGateway({ REDIS_URL: redis.url }, 'listening');
    expect(await statusAt(late, '/c')).toBe(503);
    expect(await statusAt(late, '/nothing')).toBe(503);
    expect(await statusAt(late, '/readyz')).toBe(503);
    await waitFor('Redis to be missed', async () => (await statusAt(first, '/c')) === 200, 10_000);
    redis.resume();
    await waitFor('the late one', async () => (await statusAt(late, '/c')) === 200, 10_000);
    expect(await statusAt(late, '/nothing')).toBe(404);
    expect(await statusAt(late, '/readyz')).toBe(200);
    await late.close();
  });
});
