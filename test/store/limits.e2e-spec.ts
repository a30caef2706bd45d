import type { Bucket, LimitVerdict } from '#libs/store';
import { waitFor } from '../support/children';
import { peekOne, reachEverywhere, takeOne } from '../support/limits';
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
  /** Requests that come at once, each with a claim of its own. */
  const takeMany = (clients: OpenedStore[], from: Bucket, count: number): Promise<LimitVerdict[]> =>
    Promise.all(
      Array.from({ length: count }, async (_unused, i) =>
        takeOne(clients[i % clients.length] ?? store, from),
      ),
    );
  /** The same with one claim for all, as requests of one caller have it. */
  const takeTogether = async (from: Bucket, count: number): Promise<LimitVerdict[]> => {
    const claim = [from];
    const verdicts = await Promise.all(Array.from({ length: count }, async () => store.limits.take(claim)));
    return verdicts.flatMap((verdict) => verdict.verdicts);
  };
  const allowedIn = (verdicts: LimitVerdict[]): number => verdicts.filter(({ allowed }) => allowed).length;

  const open = async (): Promise<OpenedStore> => {
    const opened = await stage.open();
    await reachEverywhere(opened);
    return opened;
  };
  beforeAll(async () => void (store = await open()));

  it('count down to nothing, then say when to come back', async () => {
    const three = bucket(3, DAY_MS);
    const verdicts: LimitVerdict[] = [];
    for (let i = 0; i < 5; i++) verdicts.push(await takeOne(store, three));
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
      expect(await peekOne(store, two)).toMatchObject({ allowed: true, remaining: 2 });
    await takeOne(store, two);
    await takeOne(store, two);
    for (let i = 0; i < 3; i++) {
      const state = await peekOne(store, two);
      expect(state).toMatchObject({ allowed: false, remaining: 0 });
      expect(state.retryAfterMs).toBeGreaterThan(0);
    }
  });

  it.each<[claims: string, takeAll: (from: Bucket, count: number) => Promise<LimitVerdict[]>]>([
    ['one claim', takeTogether],
    ['as many claims', (from, count) => takeMany([store], from, count)],
  ])('admit exactly their capacity of 500 requests at once, of %s', async (_claims, takeAll) => {
    const some = bucket(123, DAY_MS);
    const verdicts = await takeAll(some, 500);
    expect(allowedIn(verdicts)).toBe(123);
    const remaining = verdicts.filter(({ allowed }) => allowed).map((verdict) => verdict.remaining);
    expect(remaining.sort((one, other) => other - one)).toEqual(
      Array.from({ length: 123 }, (_, i) => 122 - i),
    );
    for (const { allowed, remaining: left, retryAfterMs } of verdicts.filter((verdict) => !verdict.allowed)) {
      expect([allowed, left]).toEqual([false, 0]);
      expect(retryAfterMs).toBeGreaterThan(0);
    }
  });

  if (variant !== 'embedded') {
    it('are one bucket for two clients', async () => {
      const clients = [store, await open()];
      const shared = bucket(101, DAY_MS);
      expect(allowedIn(await takeMany(clients, shared, 500))).toBe(101);
      expect(await peekOne(clients[1] ?? store, shared)).toMatchObject({ allowed: false, remaining: 0 });
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
    await takeOne(store, slow);
    const askedAt = Date.now();
    const refused = await takeOne(store, slow);
    expect(refused.allowed).toBe(false);
    await waitFor('a token', async () => (await takeOne(store, slow)).allowed, 5000, 1);
    expect(Date.now() - askedAt).toBeGreaterThanOrEqual(refused.retryAfterMs - 2);
  });

  it('are charged down to nothing and no further', async () => {
    const ten = bucket(10, DAY_MS);
    await store.limits.charge([[ten, 6]]);
    expect(await takeOne(store, ten)).toMatchObject({ allowed: true, remaining: 3 });
    await store.limits.charge([[ten, 3]]);
    expect(await takeOne(store, ten)).toMatchObject({ allowed: false, remaining: 0 });
    await store.limits.charge([[ten, 1_000_000]]);
    const { remaining, retryAfterMs } = await peekOne(store, ten);
    expect(remaining).toBe(0);
    expect(retryAfterMs).toBeLessThanOrEqual(DAY_MS / 10);
    expect(retryAfterMs).toBeGreaterThan(DAY_MS / 10 - 10_000);
  });

  it('are charged by fractions, and given back what they had, up to their capacity', async () => {
    const ten = bucket(10, DAY_MS);
    await store.limits.charge([[ten, 2.5]]);
    expect(await peekOne(store, ten)).toMatchObject({ remaining: 7 });
    await store.limits.charge([[ten, -1.5]]);
    expect(await peekOne(store, ten)).toMatchObject({ remaining: 9 });
    await store.limits.charge([[ten, -1_000_000]]);
    expect(await peekOne(store, ten)).toMatchObject({ remaining: 10 });
  });

  it('are charged before whatever is asked for afterwards, at once and whoever asked before', async () => {
    const ten = bucket(10, DAY_MS);
    const claim = [ten];
    const before = store.limits.take(claim);
    const charged = store.limits.charge([
      [ten, 4],
      [ten, 4],
    ]);
    const after = [store.limits.take([ten]), store.limits.peek(claim), store.limits.take([ten])];
    expect(await charged).toEqual([]);
    const left = (await Promise.all([before, ...after])).map(({ verdicts: [only] }) => only?.remaining);
    // The one that had asked before may come before or after, and takes one of ten either way.
    expect(left.at(-1)).toBe(0);
    expect(Math.max(...left.slice(1).map(Number))).toBeLessThanOrEqual(2);
  });

  it('are charged hundreds at a time', async () => {
    const many = Array.from({ length: 300 }, () => bucket(10, DAY_MS));
    await store.limits.charge(many.map((one, i) => [one, i % 10]));
    const left = await Promise.all(many.map((one) => peekOne(store, one)));
    expect(left.map(({ remaining }) => remaining)).toEqual(many.map((_one, i) => 10 - (i % 10)));
  });

  it('follow a change of their capacity at once, and start anew with a new window', async () => {
    const before = bucket(10, DAY_MS);
    for (let i = 0; i < 4; i++) await takeOne(store, before);
    // Six are left: a smaller bucket is full, a larger one has the same six.
    expect(await peekOne(store, { ...before, capacity: 3 })).toMatchObject({ remaining: 3 });
    expect(await peekOne(store, { ...before, capacity: 100 })).toMatchObject({ remaining: 6 });
    expect(await takeOne(store, { ...before, capacity: 3 })).toMatchObject({
      allowed: true,
      remaining: 2,
    });
    expect(await takeOne(store, { ...before, capacity: 100 })).toMatchObject({
      allowed: true,
      remaining: 1,
    });
    expect(await peekOne(store, bucket(10, 2 * DAY_MS))).toMatchObject({ remaining: 10 });
  });

  it('count exactly at the edges of their range', async () => {
    const largest = bucket(1_000_000_000, 9_007_199);
    expect(await takeOne(store, largest)).toEqual({
      allowed: true,
      remaining: 999_999_999,
      retryAfterMs: 0,
    });
    const slowest = bucket(1, 31 * DAY_MS);
    expect((await takeOne(store, slowest)).allowed).toBe(true);
    const refused = await takeOne(store, slowest);
    expect(refused.allowed).toBe(false);
    expect(refused.retryAfterMs).toBeGreaterThan(31 * DAY_MS - 10_000);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(31 * DAY_MS);
  });

  it('that hold something else are an error of that bucket, not of the store', async () => {
    if (variant === 'embedded') return;
    const broken = bucket(1, 1000);
    await stage.premises.foreign.set(broken.key, 'a string');
    await expect(takeOne(store, broken)).rejects.toThrow('WRONGTYPE');
    expect(store.state).toBe('ready');
    expect(await takeOne(store, bucket(1, 1000))).toMatchObject({ allowed: true });
  });
});
