import { waitFor } from '../support/children';
import { describeRedis, startCluster, startRedis } from '../support/redis';
import { reachEverywhere } from '../support/limits';
import { openTestStore } from './stores';

describeRedis('a Redis that evicts', () => {
  const evicts = { 'maxmemory-policy': 'allkeys-lru' };

  it('is warned of', async () => {
    const redis = await startRedis({ settings: evicts });
    const store = await openTestStore({ REDIS_URL: redis.url });
    const warning = await waitFor('a warning', () => store.logs.find((line) => line.policy !== undefined));
    expect(warning).toMatchObject({
      level: 'warn',
      policy: 'allkeys-lru',
      msg: expect.stringContaining('noeviction'),
    });
    await store.close();
    await redis.stop();
  });

  it('is not asked again where CONFIG is forbidden, and serves', async () => {
    const redis = await startRedis({ settings: evicts });
    await redis.cli('ACL', 'SETUSER', 'limited', 'on', '>pw', '~*', '&*', '+@all', '-config');
    const url = redis.url.replace('redis://', 'redis://limited:pw@');
    const store = await openTestStore({ REDIS_URL: url });
    await store.documents.put('tenant:x', '{}', 'any');
    expect(store.logs.filter((line) => line.policy !== undefined)).toEqual([]);
    expect(store.state).toBe('ready');
    await store.close();
    await redis.stop();
  });

  it('is warned of once if it is a cluster of which one node evicts', async () => {
    const cluster = await startCluster();
    await cluster.nodes[1]?.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
    const store = await openTestStore({ REDIS_CLUSTER_NODES: cluster.addresses.join() });
    // A node is asked once it is connected to, which the first use of it brings about.
    await reachEverywhere(store);
    await waitFor('a warning', () => store.logs.some((line) => line.policy === 'allkeys-lfu'));
    expect(store.logs.filter((line) => line.policy !== undefined)).toHaveLength(1);
    await store.close();
    await cluster.stop();
  });
});
