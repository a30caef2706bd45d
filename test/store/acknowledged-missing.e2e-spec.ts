import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { StoreUnavailableError } from '#libs/store';
import { waitFor } from '../support/children';
import { describeRedis, startCluster, startRedis, startSentinel, type TestRedis } from '../support/redis';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { served, startFollower, type Follower } from './followers';
import { describeStores, openTestStore, type OpenedStore } from './stores';

/** Long enough for those that can answer. */
const SHORT_MS = 500;
/** Long enough for those that come back, and too short for a heartbeat to lapse. */
const LONG_MS = 5000;
const UNTIL_LAPSED_MS = 20_000;

describeStores(
  'a change that somebody does not confirm',
  (stage) => {
    let asker: OpenedStore;
    let steady: Follower;
    let other: Follower;

    beforeAll(async () => {
      asker = await stage.open();
      steady = await startFollower(stage.premises.env);
    });
    beforeEach(async () => void (other = await startFollower(stage.premises.env)));
    afterAll(async () => void (await steady.child.end('SIGTERM')));

    it('names the process that stands still, and waits for it until it goes on', async () => {
      await asker.documents.put('tenant:still', 'old', 'any');
      expect(await served([steady, other], 'still')).toEqual(['old', 'old']);
      other.child.process.kill('SIGSTOP');
      await asker.documents.put('tenant:still', 'new', 'any');
      expect(await asker.changes.acknowledged(SHORT_MS)).toEqual({
        confirmed: [steady.id],
        missing: [other.id],
      });
      const answer = asker.changes.acknowledged(LONG_MS);
      other.child.process.kill('SIGCONT');
      expect((await answer).confirmed).toContain(other.id);
      expect(await served([steady, other], 'still')).toEqual(['new', 'new']);
      await other.child.end('SIGTERM');
    });

    it('waits no longer for one that leaves meanwhile, nor for one that joins', async () => {
      const leaving = await startFollower(stage.premises.env);
      for (const { child } of [leaving, other]) child.process.kill('SIGSTOP');
      const answer = asker.changes.acknowledged(LONG_MS);
      const joining = await startFollower(stage.premises.env);
      joining.child.process.kill('SIGSTOP');
      // It takes the signal first: it leaves without having confirmed, or having done so.
      leaving.child.process.kill('SIGTERM');
      leaving.child.process.kill('SIGCONT');
      await leaving.child.exited;
      other.child.process.kill('SIGCONT');
      const { confirmed, missing } = await answer;
      expect(missing).toEqual([]);
      expect(confirmed).toEqual(expect.arrayContaining([steady.id, other.id]));
      expect(confirmed).not.toContain(joining.id);
      joining.child.process.kill('SIGCONT');
      for (const { child } of [joining, other]) await child.end('SIGTERM');
    });

    it('names one that was killed until its heartbeat has lapsed, and waits no longer', async () => {
      await other.child.end('SIGKILL');
      expect(await asker.changes.acknowledged(SHORT_MS)).toEqual({
        confirmed: [steady.id],
        missing: [other.id],
      });
      const askedAt = performance.now();
      const answer = await asker.changes.acknowledged(UNTIL_LAPSED_MS);
      expect(answer).toEqual({ confirmed: [steady.id], missing: [] });
      expect(performance.now() - askedAt).toBeLessThan(UNTIL_LAPSED_MS);
    }, 30_000);

    it('is answered at once, with nobody, where nobody has joined', async () => {
      await Promise.all([steady, other].map(({ child }) => child.end('SIGTERM')));
      expect(await asker.changes.acknowledged(LONG_MS)).toEqual({ confirmed: [], missing: [] });
      await asker.fleet.join();
      expect(await asker.changes.acknowledged(LONG_MS)).toEqual({ confirmed: [asker.fleet.id], missing: [] });
    });
  },
  ['embedded', 'standalone'],
);

describeStores(
  'the processes on one data folder',
  (stage) => {
    it('leave nothing behind there, and forget those that could not clean up', async () => {
      const folder = join(stage.premises.env.DATA_DIR!, 'processes');
      const names = (): string[] => readdirSync(folder).map(decodeURIComponent).sort();
      const killed = await startFollower(stage.premises.env);
      await killed.child.end('SIGKILL');
      const first = await stage.open();
      await first.fleet.join();
      expect(names()).toEqual([killed.id, first.fleet.id].sort());
      const longAgo = Date.now() / 1000 - 60;
      utimesSync(join(folder, encodeURIComponent(killed.id)), longAgo, longAgo);
      const second = await stage.open();
      await second.fleet.join();
      expect(names()).toEqual([first.fleet.id, second.fleet.id].sort());
      await Promise.all([first.close(), second.close()]);
      expect(names()).toEqual([]);
    });

    it('look for themselves before they ask the others', async () => {
      const [asker, writer] = [await stage.open(), await stage.open()];
      const { epoch } = asker.changes;
      await writer.documents.put('tenant:foreign', '', 'any');
      const answer = asker.changes.acknowledged(0);
      expect(asker.changes.epoch).toBeGreaterThan(epoch);
      expect(await answer).toEqual({ confirmed: [], missing: [] });
    });
  },
  ['embedded'],
);

describeRedis('a change that is awaited while connections come and go', () => {
  let redis: TestRedis;
  let wire: TcpProxy;
  let asker: OpenedStore;
  let near: Follower;
  let far: Follower;

  beforeEach(async () => {
    redis = await startRedis();
    wire = await startTcpProxy(redis.port);
    asker = await openTestStore({ REDIS_URL: redis.url });
    [near, far] = (await Promise.all(
      [redis.port, wire.port].map((port) => startFollower({ REDIS_URL: `redis://127.0.0.1:${port}` })),
    )) as [Follower, Follower];
    await asker.documents.put('tenant:a', 'old', 'any');
    expect(await served([near, far], 'a')).toEqual(['old', 'old']);
  });
  afterEach(async () => {
    await asker.close();
    for (const { child } of [near, far]) await child.end('SIGTERM');
    await Promise.all([wire.stop(), redis.stop()]);
  });

  const ask = (timeoutMs: number, ...changed: string[]) => asker.changes.acknowledged(timeoutMs, changed);

  it.each<['cut' | 'swallow']>([['cut'], ['swallow']])(
    'names the process whose connections are gone (%s), and asks it again when it is back',
    async (way) => {
      wire[way]();
      await asker.documents.put('tenant:a', 'new', 'any');
      expect(await ask(SHORT_MS)).toEqual({ confirmed: [near.id], missing: [far.id] });
      expect(await served([near], 'a')).toEqual(['new']);
      const answer = ask(UNTIL_LAPSED_MS);
      wire.mend();
      const { confirmed, missing } = await answer;
      expect([...confirmed].sort()).toEqual([near.id, far.id].sort());
      expect(missing).toEqual([]);
      expect(await served([near, far], 'a')).toEqual(['new', 'new']);
    },
    30_000,
  );

  it('names those that may read but hear nothing, and that they read anew', async () => {
    await redis.cli('ACL', 'SETUSER', 'default', '-subscribe');
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await asker.documents.put('tenant:a', 'new', 'any');
    const { confirmed, missing } = await ask(SHORT_MS);
    expect(confirmed).toEqual([]);
    expect([...missing].sort()).toEqual([near.id, far.id].sort());
    expect(await served([near, far], 'a')).toEqual(['new', 'new']);
    await redis.cli('ACL', 'SETUSER', 'default', '+subscribe');
    expect((await ask(LONG_MS)).confirmed).toHaveLength(2);
  });

  it('that was missed is not served in its old form when the store goes away, where it is named', async () => {
    wire.cut();
    await asker.documents.put('tenant:a', 'new', 'any');
    const answer = ask(LONG_MS, 'tenant:a');
    wire.mend();
    expect((await answer).confirmed).toContain(far.id);
    wire.cut();
    expect(await served([near, far], 'a')).toEqual(['new', 'store_unavailable']);
  });

  it('is refused while the store is away, and when it goes away meanwhile', async () => {
    far.child.process.kill('SIGSTOP');
    const answer = ask(LONG_MS).catch((error: unknown) => error);
    expect((await ask(0)).missing).toContain(far.id);
    await redis.kill();
    expect(await answer).toBeInstanceOf(StoreUnavailableError);
    await expect(ask(LONG_MS)).rejects.toThrow(StoreUnavailableError);
    far.child.process.kill('SIGCONT');
  });

  it('is not held up by one whose heartbeat has lapsed, where nobody has cleaned up after it', async () => {
    for (const { child } of [near, far]) await child.end('SIGTERM');
    await redis.cli('ZADD', 'gatehouse:replicas', String(Date.now() - 11_000), 'gone:1:00000000');
    expect(await ask(LONG_MS)).toEqual({ confirmed: [], missing: [] });
  });

  it('is not held up by strangers that publish what is no question', async () => {
    for (const message of ['', '{', 'null', '{"changed":5}', '{"nonce":"n","changed":[null]}']) {
      await redis.cli('PUBLISH', 'gatehouse:changes', `fence:${message}`);
    }
    expect((await ask(LONG_MS)).confirmed).toHaveLength(2);
    expect(await served([near, far], 'a')).toEqual(['old', 'old']);
  });
});

describeRedis('a change that is awaited', () => {
  it('by other programs has been followed where Redis forbids tracking, too', async () => {
    const redis = await startRedis();
    await redis.cli('ACL', 'SETUSER', 'limited', 'on', '>pw', '~*', '&*', '+@all', '-client|tracking');
    const env = { REDIS_URL: `redis://limited:pw@127.0.0.1:${redis.port}` };
    const [asker, follower] = [await openTestStore(env), await startFollower(env)];
    await redis.cli('SET', 'tenant:a', 'old');
    expect(await served([follower], 'a')).toEqual(['old']);
    await redis.cli('SET', 'tenant:a', 'new');
    expect(await asker.changes.acknowledged(LONG_MS)).toEqual({ confirmed: [follower.id], missing: [] });
    expect(await served([follower], 'a')).toEqual(['new']);
    await follower.child.end('SIGTERM');
    await asker.close();
    await redis.stop();
  });

  it('is confirmed only by those that hear from every node of a cluster', async () => {
    const cluster = await startCluster();
    const env = { REDIS_CLUSTER_NODES: cluster.addresses.join(',') };
    const [asker, follower] = [await openTestStore(env), await startFollower(env)];
    for (const node of cluster.nodes) {
      await node.cli('ACL', 'SETUSER', 'default', '-subscribe');
      await node.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
      // The fence reaches it by the two other nodes.
      expect(await asker.changes.acknowledged(SHORT_MS)).toEqual({ confirmed: [], missing: [follower.id] });
      await node.cli('ACL', 'SETUSER', 'default', '+subscribe');
      expect(await asker.changes.acknowledged(LONG_MS)).toEqual({ confirmed: [follower.id], missing: [] });
    }
    await follower.child.end('SIGTERM');
    await asker.close();
    await cluster.stop();
  }, 30_000);

  it('is confirmed by all again after a fail-over', async () => {
    const group = await startSentinel();
    const env = { REDIS_SENTINELS: group.addresses.join(','), REDIS_SENTINEL_MASTER: group.name };
    const [asker, follower] = [await openTestStore(env), await startFollower(env)];
    await asker.documents.put('tenant:a', 'old', 'any');
    expect(await served([follower], 'a')).toEqual(['old']);
    await group.caughtUp();
    await group.master.kill();
    const written = (): Promise<boolean> => asker.documents.put('tenant:a', 'new', 'any').catch(() => false);
    await waitFor('the new master', written, 15_000);
    // A Sentinel cuts the connections of a new master once more, so the first question may be lost.
    const { confirmed } = await waitFor('an answer', () =>
      asker.changes.acknowledged(UNTIL_LAPSED_MS).catch(() => undefined),
    );
    expect(confirmed).toEqual([follower.id]);
    expect(await served([follower], 'a')).toEqual(['new']);
    await follower.child.end('SIGTERM');
    await asker.close();
    await group.stop();
  }, 60_000);
});
