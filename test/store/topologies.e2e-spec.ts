import { StoreUnavailableError, type Bucket, type LimitVerdict } from '#libs/store';
import { waitFor } from '../support/children';
import { peekOne, takeOne } from '../support/limits';
import {
  describeRedis,
  startCluster,
  startSentinel,
  type TestCluster,
  type TestRedis,
  type TestSentinel,
} from '../support/redis';
import { openTestStore, type OpenedStore } from './stores';

const isTrusted = (store: OpenedStore): boolean =>
  store.state === 'ready' && store.changes.trustMs === Infinity;

/** The outcome of a call: its value, or `away`; anything else that is thrown fails the test. */
async function attempt<T>(call: () => Promise<T>): Promise<T | 'away'> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof StoreUnavailableError) return 'away';
    throw error;
  }
}

/** Changes as they are reported, from now on. */
function record(store: OpenedStore): (string | undefined)[] {
  const reported: (string | undefined)[] = [];
  store.changes.subscribe((key) => void reported.push(key));
  return reported;
}

/** A server that changes its role throws its clients out. */
function replication(redis: TestRedis): Promise<string> {
  return redis.cli('INFO', 'replication').catch(() => '');
}

describeRedis('Redis Sentinel', () => {
  it.each<[happening: string, cause: (group: TestSentinel) => Promise<unknown>]>([
    [
      'hands over in good order',
      (group) =>
        // The order is refused until the replica's last report is fresh.
        waitFor('the order to be taken', () =>
          group.sentinels[0]?.cli('SENTINEL', 'FAILOVER', group.name).catch(() => undefined), 10_000), // prettier-ignore
    ],
    ['loses its master', (group) => group.master.kill()],
  ])(
    'is followed when it %s',
    async (_happening, cause) => {
      const group = await startSentinel({ password: 'secret' });
      const store = await openTestStore({
        REDIS_SENTINELS: group.addresses.join(','),
        REDIS_SENTINEL_MASTER: group.name,
        REDIS_PASSWORD: 'secret',
      });
      await waitFor('the feed', () => isTrusted(store));
      const { epoch } = store.changes;
      const newMaster = group.replica;
      await store.documents.put('tenant:kept', 'before', 'any');
      await waitFor('replication', async () => (await newMaster.cli('GET', 'tenant:kept')) === 'before');

      await cause(group);
      const writeReaches = async (): Promise<boolean> => {
        if (!(await replication(newMaster)).includes('role:master')) return false;
        const text = String(Date.now());
        const done = await attempt(() => store.documents.put('tenant:moved', text, 'any'));
        return done === true && (await newMaster.cli('GET', 'tenant:moved')) === text;
      };
      await waitFor('a write on the new master', writeReaches, 15_000);
      expect(await store.documents.get('tenant:kept')).toBe('before');
      // The new master has never seen our scripts.
      const bucket = { key: 'rl:t:1', capacity: 5, windowMs: 86_400_000 };
      expect(await takeOne(store, bucket)).toMatchObject({ allowed: true, remaining: 4 });
      expect(await store.limits.charge([[bucket, 1]])).toEqual([]);
      const request = { bucket, wanted: 2, generation: 0, used: 0, returned: 0, held: 0 };
      expect(await store.limits.lease([request])).toMatchObject([{ granted: 2, remaining: 1 }]);
      await waitFor('the feed', () => isTrusted(store), 10_000);
      expect(store.changes.epoch).toBeGreaterThan(epoch);
      const reported = record(store);
      await newMaster.cli('SET', 'tenant:foreign', 'x');
      await waitFor('a report from the new master', () => reported.includes('tenant:foreign'));
      await store.close();
      await group.stop();
    },
    60_000,
  );
});

describeRedis('Redis Cluster', () => {
  let cluster: TestCluster;
  let store: OpenedStore;
  /** A document on each node, by the number of the node. */
  const keyOf: string[] = [];
  /** What is left, as soon as every node answers. */
  const left = async (bucket: Bucket): Promise<number> => {
    const there = async (): Promise<LimitVerdict | undefined> => {
      const verdict = await attempt(() => peekOne(store, bucket));
      return verdict === 'away' ? undefined : verdict;
    };
    return (await waitFor('an answer', there, 10_000)).remaining;
  };
  /** On the same node as a document. */
  const bucketBeside = (key: string): Bucket => ({
    key: `rl:{${key}}:1`,
    capacity: 10,
    windowMs: 86_400_000,
  });

  beforeAll(async () => {
    cluster = await startCluster();
    store = await openTestStore({ REDIS_CLUSTER_NODES: cluster.addresses.join(',') });
    await waitFor('the feed', () => isTrusted(store));
    for (let i = 0; keyOf.filter(Boolean).length < 3; i++) {
      const key = `tenant:t${i}`;
      const slot = Number(await cluster.cli('CLUSTER', 'KEYSLOT', key));
      keyOf[Math.floor((slot * 3) / 16_384)] = key;
    }
    for (const key of keyOf) await store.documents.put(key, 'here', 'absent');
  }, 30_000);
  afterAll(async () => {
    await store.close();
    await cluster.stop();
  });

  it('is followed when a slot moves to another node', async () => {
    const [from, to] = cluster.nodes as [TestRedis, TestRedis];
    const key = keyOf[0] ?? '';
    const slot = await from.cli('CLUSTER', 'KEYSLOT', key);
    const bucket = bucketBeside(key);
    expect(await takeOne(store, bucket)).toMatchObject({ remaining: 9 });
    const [fromId, toId] = [await from.cli('CLUSTER', 'MYID'), await to.cli('CLUSTER', 'MYID')];
    await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    expect(await store.documents.get(key)).toBe('here');
    expect(await takeOne(store, bucket)).toMatchObject({ remaining: 8 });
    for (const moved of [key, bucket.key])
      await from.cli('MIGRATE', to.host, String(to.port), moved, '0', '1000');
    expect(await store.documents.get(key)).toBe('here');
    expect(await takeOne(store, bucket)).toMatchObject({ remaining: 7 });
    const charged = store.limits.charge([[bucket, 2]]);
    expect(await takeOne(store, bucket)).toMatchObject({ remaining: 4 });
    expect(await charged).toEqual([]);
    for (const node of [to, from]) await node.cli('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    expect(await store.documents.get(key)).toBe('here');
    const chargedAgain = store.limits.charge([[bucket, 2]]);
    expect(await takeOne(store, bucket)).toMatchObject({ remaining: 1 });
    expect(await chargedAgain).toEqual([]);
    const reported = record(store);
    await cluster.cli('SET', key, 'moved');
    await waitFor('a report', () => reported.includes(key));
    expect(await store.documents.get(key)).toBe('moved');
  });

  it.each<[way: string, leave: (node: TestRedis) => unknown, comeBack: (node: TestRedis) => unknown]>([
    ['hangs', (node) => node.pause(), (node) => node.resume()],
    ['is killed and comes back empty', (node) => node.kill(), (node) => node.restart()],
  ])(
    'is away, and nothing worse, while a node %s; all is well afterwards',
    async (_way, leave, comeBack) => {
      const node = cluster.nodes[2] as TestRedis;
      const lost = keyOf[2] ?? '';
      const [here, there] = [bucketBeside(keyOf[1] ?? ''), bucketBeside(lost)];
      const before = await left(here);
      await leave(node);
      // What could not be charged is told from what could, which must not be charged again with it.
      expect(await store.limits.charge([[here, 1], [there, 1]])).toEqual([[there, 1]]); // prettier-ignore
      await waitFor('the loss', async () => (await attempt(() => store.documents.get(lost))) === 'away');
      for (let i = 0; i < 5; i++) {
        // The other nodes answer, so the store is tried again and again.
        await waitFor('another attempt', () => store.state === 'ready');
        expect(await attempt(() => store.documents.get(lost))).toBe('away');
      }
      await waitFor('the loss to be noticed by the feed', () => store.changes.trustMs === 0);
      await Promise.all(keyOf.map((key) => attempt(() => store.documents.get(key))));
      await attempt(() => takeOne(store, bucketBeside(lost)));
      await waitFor('the cluster to say that it is down', async () =>
      (await cluster.nodes[0]?.cli('CLUSTER', 'INFO'))?.includes('cluster_state:fail')); // prettier-ignore
      for (const key of keyOf) expect(await attempt(() => store.documents.get(key))).toBe('away');
      await comeBack(node);
      await waitFor(
        'the node',
        async () => (await attempt(() => store.documents.put(lost, 'again', 'any'))) === true,
        15_000,
      );
      await waitFor('the feed', () => isTrusted(store), 10_000);
      const reported = record(store);
      await waitFor(
        'the other nodes to agree',
        () => cluster.cli('SET', lost, 'seen').catch(() => undefined),
        10_000,
      );
      await waitFor('a report', () => reported.includes(lost));
      expect(await left(here)).toBe(before - 1);
    },
    40_000,
  );
});
