import { Redis } from 'ioredis';
import { fullBucket, peek, take, type Bucket, type BucketLevel, type BucketVerdict } from '#libs/store';
import { withScripts } from '../../libs/store/src/redis/scripts';
import { waitFor } from '../support/children';
import { contractRedis } from '../support/redis';
import { describeStores, type OpenedStore } from './stores';

const DAY_MS = 86_400_000;

describeStores('token buckets', (stage, variant) => {
  let store: OpenedStore;
  let sequence = 0;
  const bucket = (capacity: number, windowMs: number): Bucket => ({
    key: `rl:{t${++sequence}}:${windowMs}`,
    capacity,
    windowMs,
  });
  const takeMany = (clients: OpenedStore[], from: Bucket, count: number): Promise<BucketVerdict[]> =>
    Promise.all(
      Array.from({ length: count }, async (_unused, i) =>
        (clients[i % clients.length] ?? store).buckets.take(from),
      ),
    );
  const allowedIn = (verdicts: BucketVerdict[]): number => verdicts.filter(({ allowed }) => allowed).length;

  beforeAll(async () => void (store = await stage.open()));

  it('count down to nothing, then say when to come back', async () => {
    const three = bucket(3, DAY_MS);
    const verdicts: BucketVerdict[] = [];
    for (let i = 0; i < 5; i++) verdicts.push(await store.buckets.take(three));
    expect(verdicts.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
      [false, 0],
    ]);
    for (const { retryAfterMs } of verdicts.slice(3)) {
      expect(retryAfterMs).toBeLessThanOrEqual(DAY_MS / 3);
      expect(retryAfterMs).toBeGreaterThan(DAY_MS / 3 - 10_000);
    }
    expect(verdicts[0]?.retryAfterMs).toBe(0);
  });

  it('tell their state without changing it', async () => {
    const two = bucket(2, DAY_MS);
    for (let i = 0; i < 3; i++)
      expect(await store.buckets.peek(two)).toMatchObject({ allowed: true, remaining: 2 });
    await store.buckets.take(two);
    await store.buckets.take(two);
    for (let i = 0; i < 3; i++) {
      const state = await store.buckets.peek(two);
      expect(state).toMatchObject({ allowed: false, remaining: 0 });
      expect(state.retryAfterMs).toBeGreaterThan(0);
    }
  });

  it('admit exactly their capacity of 500 requests at once', async () => {
    const some = bucket(123, DAY_MS);
    const verdicts = await takeMany([store], some, 500);
    expect(allowedIn(verdicts)).toBe(123);
    const remaining = verdicts.filter(({ allowed }) => allowed).map((verdict) => verdict.remaining);
    expect(remaining.sort((one, other) => other - one)).toEqual(
      Array.from({ length: 123 }, (_, i) => 122 - i),
    );
  });

  if (variant !== 'embedded') {
    it('are one bucket for two clients', async () => {
      const clients = [store, await stage.open()];
      const shared = bucket(101, DAY_MS);
      expect(allowedIn(await takeMany(clients, shared, 500))).toBe(101);
      expect(await clients[1]?.buckets.peek(shared)).toMatchObject({ allowed: false, remaining: 0 });
    });
  }

  it('are decided each for itself when requests of 200 of them come at once', async () => {
    const many = Array.from({ length: 200 }, (_unused, i) => bucket(1 + (i % 3), DAY_MS));
    const verdicts = await Promise.all(many.map((one) => takeMany([store], one, 3)));
    expect(verdicts.map(allowedIn)).toEqual(many.map(({ capacity }) => capacity));
  });

  it('refill continuously, and never beyond capacity plus refill', async () => {
    const fast = bucket(20, 1000);
    let admitted = 0;
    const startedAt = Date.now();
    // Asked far more often than it refills, until it has refilled about one and a half times.
    await waitFor(
      'fifty admissions',
      async () => {
        admitted += allowedIn(await takeMany([store], fast, 3));
        return admitted >= 50;
      },
      10_000,
      1,
    );
    // The clock of the store may have ticked once more than ours.
    const elapsedMs = Date.now() - startedAt + 1;
    expect(admitted).toBeLessThanOrEqual(20 + (elapsedMs * 20) / 1000);
    expect(elapsedMs).toBeGreaterThanOrEqual((50 - 20) * 50);
  });

  it('give a token after the time they named, and not before', async () => {
    const slow = bucket(1, 300);
    await store.buckets.take(slow);
    const refused = await store.buckets.take(slow);
    const askedAt = Date.now();
    expect(refused.allowed).toBe(false);
    await waitFor('a token', async () => (await store.buckets.take(slow)).allowed, 5000, 1);
    expect(Date.now() - askedAt).toBeGreaterThanOrEqual(refused.retryAfterMs - 2);
  });

  it('take a debt first, down to nothing and no further', async () => {
    const ten = bucket(10, DAY_MS);
    expect(await store.buckets.take(ten, 6)).toMatchObject({ allowed: true, remaining: 3 });
    expect(await store.buckets.take(ten, 3)).toMatchObject({ allowed: false, remaining: 0 });
    expect(await store.buckets.take(ten, 1_000_000)).toMatchObject({ allowed: false, remaining: 0 });
    const { retryAfterMs } = await store.buckets.peek(ten);
    expect(retryAfterMs).toBeLessThanOrEqual(DAY_MS / 10);
    expect(retryAfterMs).toBeGreaterThan(DAY_MS / 10 - 10_000);
  });

  it('take the debts of requests that come at once', async () => {
    const ten = bucket(10, DAY_MS);
    const verdicts = await Promise.all([store.buckets.take(ten, 4), store.buckets.take(ten, 4)]);
    expect(allowedIn(verdicts)).toBeLessThanOrEqual(2);
    expect(await store.buckets.peek(ten)).toMatchObject({ remaining: 0 });
  });

  it('follow a change of their capacity at once, and start anew with a new window', async () => {
    const before = bucket(10, DAY_MS);
    for (let i = 0; i < 4; i++) await store.buckets.take(before);
    // Six are left: a smaller bucket is full, a larger one has the same six.
    expect(await store.buckets.peek({ ...before, capacity: 3 })).toMatchObject({ remaining: 3 });
    expect(await store.buckets.peek({ ...before, capacity: 100 })).toMatchObject({ remaining: 6 });
    expect(await store.buckets.take({ ...before, capacity: 3 })).toMatchObject({
      allowed: true,
      remaining: 2,
    });
    expect(await store.buckets.take({ ...before, capacity: 100 })).toMatchObject({
      allowed: true,
      remaining: 1,
    });
    expect(await store.buckets.peek(bucket(10, 2 * DAY_MS))).toMatchObject({ remaining: 10 });
  });

  it('count exactly at the edges of their range', async () => {
    const largest = bucket(1_000_000_000, 9_007_199);
    expect(await store.buckets.take(largest)).toEqual({
      allowed: true,
      remaining: 999_999_999,
      retryAfterMs: 0,
    });
    const slowest = bucket(1, 31 * DAY_MS);
    expect((await store.buckets.take(slowest)).allowed).toBe(true);
    const refused = await store.buckets.take(slowest);
    expect(refused.allowed).toBe(false);
    expect(refused.retryAfterMs).toBeGreaterThan(31 * DAY_MS - 10_000);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(31 * DAY_MS);
  });

  it('that hold something else are an error of that bucket, not of the store', async () => {
    if (variant === 'embedded') return;
    const broken = bucket(1, 1000);
    await stage.premises.foreign.set(broken.key, 'a string');
    await expect(store.buckets.take(broken)).rejects.toThrow('WRONGTYPE');
    expect(store.state).toBe('ready');
    expect(await store.buckets.take(bucket(1, 1000))).toMatchObject({ allowed: true });
  });
});

/** The scripts run on the clock of Redis; here they are given one, so that both sides can be told the same time. */
describe('the arithmetic of the scripts and of token-bucket.ts', () => {
  const CLOCK = "redis.call('TIME')";
  const NOW = 1_800_000_000_123;
  let redis: Awaited<ReturnType<typeof contractRedis>>;
  let client: Redis;
  const lua: Record<string, string> = {};

  beforeAll(async () => {
    redis = await contractRedis();
    client = new Redis(redis.url);
    const capture = {
      defineCommand: (name: string, script: { lua: string }) => void (lua[name] = script.lua),
    };
    withScripts(capture as unknown as Redis);
  });
  afterAll(async () => {
    client.disconnect();
    await redis.stop();
  });

  interface Vector {
    capacity: number;
    windowMs: number;
    /** What is stored: nothing for a bucket nobody has used. */
    level?: BucketLevel;
    wanted: number;
    debt: number;
  }

  interface Outcome {
    before: number;
    granted: number;
    after: number;
    at: number;
  }

  function run(name: string, keys: string[], args: number[]): Promise<unknown> {
    const script = lua[name] ?? '';
    expect(script.split(CLOCK)).toHaveLength(2);
    const clock = `{'${Math.floor(NOW / 1000)}', '${(NOW % 1000) * 1000 + 999}'}`;
    return client.eval(script.replace(CLOCK, clock), keys.length, ...keys, ...args);
  }

  /** All vectors in one call, as requests that arrive together are. */
  async function byScript(vectors: Vector[]): Promise<Outcome[]> {
    const key = (i: number): string => `rl:vector:${i}`;
    await client.del(vectors.map((_vector, i) => key(i)));
    const before: number[] = [];
    for (const [i, { capacity, windowMs, level }] of vectors.entries()) {
      if (level) await client.hset(key(i), { units: level.units, at: level.at });
      before.push(Number(await run('gatehousePeek', [key(i)], [capacity, windowMs])));
    }
    const args = vectors.flatMap(({ capacity, windowMs, wanted, debt }) => [
      capacity,
      windowMs,
      wanted,
      debt,
    ]);
    const reply = (await run('gatehouseTake', vectors.map((_vector, i) => key(i)), args)) as unknown[]; // prettier-ignore
    return Promise.all(
      vectors.map(async ({ capacity, windowMs }, i) => {
        const stored = await client.hgetall(key(i));
        expect(stored.units).toBe(reply[i * 2 + 1]);
        // It lives until it is full again, and is forgotten then: an unused bucket says the same.
        const untilFull = (capacity * windowMs - Number(stored.units)) / capacity;
        const ttl = await client.pttl(key(i));
        expect(ttl).toBeLessThanOrEqual(untilFull + 1001);
        expect(ttl).toBeGreaterThan(untilFull - 10_000);
        return {
          before: before[i] ?? NaN,
          granted: Number(reply[i * 2]),
          after: Number(stored.units),
          at: Number(stored.at),
        };
      }),
    );
  }

  function byModule({ level, wanted, debt, ...shape }: Vector): Outcome {
    const bucket = { key: '', ...shape };
    const own = level ? { ...level } : fullBucket(bucket, NOW);
    // A look at the bucket that takes nothing: a refused request of none.
    const look = { ...own };
    take(look, { ...bucket }, NOW, 0);
    const before = peek(own, bucket, NOW).allowed ? look.units + bucket.windowMs : look.units;
    let granted = 0;
    for (let i = 0; i < wanted; i++) if (take(own, bucket, NOW, i === 0 ? debt : 0).allowed) granted += 1;
    return { before, granted, after: own.units, at: own.at };
  }

  it.each<[title: string, vector: Vector]>([
    ['unused', { capacity: 5, windowMs: 1000, wanted: 1, debt: 0 }],
    ['more wanted than there is', { capacity: 5, windowMs: 1000, wanted: 9, debt: 0 }],
    ['one unit short', { capacity: 7, windowMs: 1000, level: { units: 999, at: NOW }, wanted: 1, debt: 0 }],
    ['just enough', { capacity: 7, windowMs: 1000, level: { units: 1000, at: NOW }, wanted: 1, debt: 0 }],
    ['refilled by a millisecond', { capacity: 1, windowMs: 1000, level: { units: 999, at: NOW - 1 }, wanted: 1, debt: 0 }],
    ['full long ago', { capacity: 3, windowMs: 60_000, level: { units: 0, at: 0 }, wanted: 4, debt: 0 }],
    ['a clock that went back', { capacity: 3, windowMs: 1000, level: { units: 1500, at: NOW + 5000 }, wanted: 2, debt: 0 }],
    ['a debt', { capacity: 10, windowMs: 1000, wanted: 3, debt: 4 }],
    ['a debt beyond everything', { capacity: 10, windowMs: 1000, wanted: 3, debt: 1e9 }],
    ['a debt of a fraction', { capacity: 10, windowMs: 999, wanted: 1, debt: 0.5 }],
    ['a smaller capacity than before', { capacity: 2, windowMs: 1000, level: { units: 9000, at: NOW }, wanted: 3, debt: 0 }],
    ['the largest', { capacity: 1_000_000_000, windowMs: 9_007_199, level: { units: 1, at: NOW - 9_007_198 }, wanted: 2, debt: 1 }],
    ['a million a day', { capacity: 1_000_000, windowMs: DAY_MS, level: { units: 86_399_999, at: NOW }, wanted: 1, debt: 0 }],
    ['one a month', { capacity: 1, windowMs: 31 * DAY_MS, level: { units: 0, at: NOW - 31 * DAY_MS }, wanted: 1, debt: 0 }],
  ])('agree: %s', async (_title, vector) => {
    expect(await byScript([vector])).toEqual([byModule(vector)]);
  }); // prettier-ignore

  it('agree on 300 vectors drawn by lot, decided in one call', async () => {
    const random = lot(20_251_121);
    const vectors = Array.from({ length: 300 }, (_unused, i): Vector => {
      const capacity = 1 + random(i % 3 === 0 ? 1_000_000 : 50);
      const windowMs = 1 + random(i % 2 === 0 ? DAY_MS : 5000);
      const level = { units: random(capacity * windowMs + 1), at: NOW - random(2 * windowMs) };
      const debt = i % 4 === 0 ? random(30) : 0;
      return { capacity, windowMs, level: i % 5 === 0 ? undefined : level, wanted: 1 + random(20), debt };
    });
    const outcomes = await byScript(vectors);
    expect(outcomes.map((outcome, i) => ({ ...vectors[i], ...outcome }))).toEqual(
      vectors.map((vector) => ({ ...vector, ...byModule(vector) })),
    );
  });
});

/** Whole numbers below a bound, the same ones at every run (Park and Miller's minimal standard generator). */
function lot(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return Math.floor((state / 2_147_483_647) * below);
  };
}
