import { waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { describeRedis, startCluster, startSentinel, type TestRedis } from '../support/redis';
import { send, type Outcome } from '../support/traffic';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { cacheStatus } from './cache-setup';

/** They lie on different nodes of a cluster. */
const TENANTS = ['acme', 'bravo', 'coda', 'delta'];
const NO_LIMIT = { windowSeconds: 1, maxRequests: 1_000_000 };

let upstream: TestUpstream;
beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    response.setHeader('Cache-Control', 'max-age=60');
    response.setHeader('Surrogate-Key', `page-${(request.url ?? '').slice(1, 2)}`);
    response.end(`answer ${upstream.requests.length}`);
  });
});
afterAll(() => upstream.stop());

/** Two replicas, and what they share of responses. */
async function startReplicas(env: Record<string, string>) {
  const [one, other] = await Promise.all([startGateway(env), startGateway(env)]);
  const keys = new Map<string, string>();
  for (const id of TENANTS) {
    const tenant = { id, upstreamBaseUrl: upstream.url, cache: {}, rateLimit: NO_LIMIT };
    keys.set(id, await one.addTenant(tenant));
  }
  const get = (gateway: TestGateway, id: string, path: string): Promise<Outcome> =>
    send(gateway.url + path, { headers: { Host: 'api.test', 'X-API-Key': keys.get(id) ?? '' } });
  const isHit = async (gateway: TestGateway, id: string, path: string): Promise<boolean> =>
    /; hit;/.test(cacheStatus(await get(gateway, id, path)));
  const shared = async (id: string): Promise<number> => {
    const { body } = await one.admin('GET', `/admin/tenants/${id}/cache`);
    return (body as { shared: { entries: number } }).shared.entries;
  };
  /** By the first; the second finds it in Redis. */
  const share = async (id: string, ...paths: string[]): Promise<void> => {
    const before = await shared(id);
    for (const path of paths) await get(one, id, path);
    await waitFor('them to be shared', async () => (await shared(id)) === before + paths.length);
    for (const path of paths) expect([id, path, await isHit(other, id, path)]).toEqual([id, path, true]);
  };
  const purge = async (id: string, about: object): Promise<void> => {
    const { body } = await one.admin('POST', `/admin/tenants/${id}/cache/purge?wait=true`, about);
    expect(body).toMatchObject({ purged: true, missing: [] });
  };
  const hits = (id: string, ...paths: string[]): Promise<boolean[]> =>
    Promise.all(paths.map((path) => isHit(other, id, path)));
  return { one, other, get, share, purge, hits, close: () => Promise.all([one.close(), other.close()]) };
}

describeRedis('responses that replicas share', () => {
  it('in a Redis Cluster: those of a tenant in one slot, and purges on every node', async () => {
    const cluster = await startCluster();
    const replicas = await startReplicas({ REDIS_CLUSTER_NODES: cluster.addresses.join(',') });
    const keysOn = async (node: TestRedis, id: string): Promise<string[]> =>
      (await node.cli('KEYS', `gatehouse:{${id}}:cache*`)).split('\n').filter(Boolean);
    const nodesOf = async (id: string): Promise<number[]> => {
      const found = await Promise.all(cluster.nodes.map((node) => keysOn(node, id)));
      return found.flatMap((keys, node) => (keys.length > 0 ? [node] : []));
    };
    for (const id of TENANTS) await replicas.share(id, '/api/a', '/api/b', '/api/b?q=1');
    const places = await Promise.all(TENANTS.map(nodesOf));
    // Each on one node, or no script could count them; and not all on the same.
    expect(places.every(({ length }) => length === 1)).toBe(true);
    expect(new Set(places.flat()).size).toBeGreaterThan(1);
    for (const id of TENANTS) {
      await replicas.purge(id, { tags: ['page-a'] });
      expect(await replicas.hits(id, '/api/a', '/api/b', '/api/b?q=1')).toEqual([false, true, true]);
      await replicas.purge(id, { prefixes: ['/api/b'] });
      expect(await replicas.hits(id, '/api/a', '/api/b', '/api/b?q=1')).toEqual([true, false, false]);
    }
    // What is purged of one is that one's only.
    await replicas.purge('acme', { everything: true });
    expect(await replicas.hits('acme', '/api/a', '/api/b')).toEqual([false, false]);
    expect(await replicas.hits('bravo', '/api/a', '/api/b')).toEqual([true, true]);
    // And of a tenant that is deleted nothing is left on any node.
    for (const id of TENANTS) await replicas.one.admin('DELETE', `/admin/tenants/${id}`);
    const left = await Promise.all(TENANTS.flatMap((id) => cluster.nodes.map((node) => keysOn(node, id))));
    expect(left.flat().filter((key) => /:cached:|:cache-index$|:cache-sizes$/.test(key))).toEqual([]);
    await replicas.close();
    await cluster.stop();
  }, 30_000);

  it('behind Redis Sentinel: purges hold on every replica, also after the master is another one', async () => {
    const group = await startSentinel();
    const replicas = await startReplicas({
      REDIS_SENTINELS: group.addresses.join(','),
      REDIS_SENTINEL_MASTER: group.name,
    });
    await replicas.share('acme', '/api/a', '/api/b');
    await replicas.purge('acme', { tags: ['page-a'] });
    expect(await replicas.hits('acme', '/api/a', '/api/b')).toEqual([false, true]);
    await group.caughtUp();
    await group.master.kill();
    await waitFor('the other master', async () => (await group.masterPort()) === group.replica.port, 15_000);
    const ready = async ({ url }: TestGateway): Promise<boolean> => (await fetch(`${url}/readyz`)).ok;
    await waitFor(
      'both to follow',
      async () => {
        const { status, body } = await replicas.one.admin(
          'POST',
          '/admin/tenants/acme/cache/purge?wait=true',
          { prefixes: ['/api/nothing'] },
        );
        const { missing = ['?'] } = body as { missing?: string[] };
        return status === 200 && missing.length === 0 && (await ready(replicas.other));
      },
      30_000,
      100,
    );
    await replicas.share('acme', '/api/c', '/api/d');
    await replicas.purge('acme', { prefixes: ['/api/c'] });
    expect(await replicas.hits('acme', '/api/c', '/api/d')).toEqual([false, true]);
    await replicas.purge('acme', { everything: true });
    expect(await replicas.hits('acme', '/api/d', '/api/b')).toEqual([false, false]);
    await replicas.close();
    await group.stop();
  }, 40_000);
});
