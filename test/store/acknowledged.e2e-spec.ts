import { hostname } from 'node:os';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { served, startFollower, type Follower } from './followers';
import { describeStores, openTestStore, type OpenedStore } from './stores';

const PATIENCE_MS = 5000;
/** Generous: how long it takes is printed, and measured where nothing else runs. */
const LIMIT_MS = 1000;

function report(title: string, delays: readonly number[]): { p99: number } {
  const sorted = [...delays].sort((one, other) => one - other);
  const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
  const figures = [0.5, 0.99, 1].map((share) => `${at(share).toFixed(1)} ms`);
  process.stdout.write(`  ${title}: ${delays.length} acknowledged, p50/p99/max ${figures.join(' / ')}\n`);
  return { p99: at(0.99) };
}

/** Waits until everybody has followed, and for how long; fails if somebody is missing. */
async function acknowledge(asker: OpenedStore, followers: readonly Follower[]): Promise<number> {
  const askedAt = performance.now();
  const { confirmed, missing } = await asker.changes.acknowledged(PATIENCE_MS);
  const ms = performance.now() - askedAt;
  expect(missing).toEqual([]);
  expect([...confirmed].sort()).toEqual(followers.map(({ id }) => id).sort());
  return ms;
}

describeStores(
  'a change that is awaited',
  (stage, variant) => {
    let asker: OpenedStore;
    let followers: Follower[];

    beforeAll(async () => {
      asker = await stage.open();
      const { env } = stage.premises;
      followers = await Promise.all([startFollower(env), startFollower(env)]);
    }, 30_000);
    afterAll(() => Promise.all(followers.map(({ child }) => child.end('SIGTERM'))));

    it('is confirmed by every process that has joined, called by its host and its number', async () => {
      await acknowledge(asker, followers);
      for (const { id, child } of followers) {
        expect(id.split(':')).toEqual([
          hostname(),
          String(child.pid),
          expect.stringMatching(/^[0-9a-f]{8}$/),
        ]);
      }
    });

    it('is served in its old form by nobody who has confirmed, whoever made it', async () => {
      const rounds = { embedded: 40, standalone: 200 }[variant as string] ?? 100;
      const delays: number[] = [];
      for (let i = 0; i < rounds; i++) {
        // Four documents that lie in different slots of a cluster.
        const [name, text] = [`name-${i % 4}`, `text ${i}`];
        if (i % 5 === 0) await stage.premises.foreign.set(`tenant:${name}`, text);
        else await asker.documents.put(`tenant:${name}`, text, 'any');
        delays.push(await acknowledge(asker, followers));
        expect(await served(followers, name)).toEqual([text, text]);
      }
      expect(report(variant, delays).p99).toBeLessThan(LIMIT_MS);
      // All of this was about caches: they hold what they have served.
      const [first] = followers as [Follower];
      const { reads } = await first.serve('name-0');
      expect((await first.serve('name-0')).reads).toBe(reads);
    }, 30_000);

    it('is one of many that two processes await at the same time', async () => {
      const askers = [asker, await stage.open()];
      await Promise.all(
        Array.from({ length: 50 }, async (_unused, i) => {
          const [name, text] = [`crowd-${i}`, `text ${i}`];
          const by = askers[i % 2]!;
          await by.documents.put(`tenant:${name}`, 'old', 'any');
          expect(await served(followers, name)).toEqual(['old', 'old']);
          await by.documents.put(`tenant:${name}`, text, 'any');
          await acknowledge(by, followers);
          expect(await served(followers, name)).toEqual([text, text]);
        }),
      );
    });
  },
  ['embedded', 'standalone', 'tls', 'cluster', 'sentinel'],
);

describeRedis('a change that is awaited over a slow wire', () => {
  let redis: TestRedis;
  let wire: TcpProxy;
  let asker: OpenedStore;
  let followers: Follower[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    wire = await startTcpProxy(redis.port);
    asker = await openTestStore({ REDIS_URL: redis.url });
    const urls = [redis, wire].map(({ port }) => `redis://127.0.0.1:${port}`);
    followers = await Promise.all(urls.map((REDIS_URL) => startFollower({ REDIS_URL })));
  });
  afterAll(async () => {
    await Promise.all(followers.map(({ child }) => child.end('SIGTERM')));
    await asker.close();
    await Promise.all([wire.stop(), redis.stop()]);
  });

  it('is served in its old form by nobody who has confirmed, over 100 rounds', async () => {
    const delays: number[] = [];
    for (let i = 0; i < 100; i++) {
      wire.delay(i % 10);
      await asker.documents.put('tenant:slow', `text ${i}`, 'any');
      delays.push(await acknowledge(asker, followers));
      expect(await served(followers, 'slow')).toEqual([`text ${i}`, `text ${i}`]);
    }
    report('a wire of up to 9 ms each way', delays);
  }, 30_000);
});
