import { StoreUnavailableError, type Bucket, type BucketVerdict, type Store } from '#libs/store';
import { RateLimiter } from './rate-limiter';

const MINUTE = 60_000;
const bucketOf = (capacity: number): Bucket => ({ key: 'rl:acme:60', capacity, windowMs: MINUTE });

/** A limiter over a store that says what it is told to, and a clock that tests turn by hand. */
function setUp(replicas: number, capacity: number) {
  const state = {
    now: 1_800_000_000_000,
    answer: { allowed: true, remaining: 5, retryAfterMs: 0 } as BucketVerdict | Error,
    debts: [] as number[],
  };
  const store = {
    state: 'ready',
    fleet: { size: replicas },
    buckets: {
      take: async (_: Bucket, debt: number) => {
        state.debts.push(debt);
        if (state.answer instanceof Error) throw state.answer;
        return state.answer;
      },
    },
  };
  const limiter = new RateLimiter(store as unknown as Store, () => state.now);
  const bucket = bucketOf(capacity);
  const admitted = async (requests: number): Promise<number> => {
    let count = 0;
    for (let i = 0; i < requests; i++) if ((await limiter.take(bucket)).allowed) count += 1;
    return count;
  };
  return { state, store, limiter, bucket, admitted, pass: (ms: number) => void (state.now += ms) };
}

it('passes on what the store says', async () => {
  const { state, limiter, bucket } = setUp(1, 10);
  state.answer = { allowed: false, remaining: 0, retryAfterMs: 700 };
  expect(await limiter.take(bucket)).toEqual(state.answer);
  expect(state.debts).toEqual([0]);
});

describe('while the store is away', () => {
  it.each([
    [10, 1, 10],
    [10, 2, 5],
    [10, 3, 3],
    [100, 7, 14],
    [3, 3, 1],
    [3, 4, 0],
    [1, 10, 0],
  ])('a limit of %d among %d replicas lets %d through at once', async (capacity, replicas, expected) => {
    const { store, admitted } = setUp(replicas, capacity);
    store.state = 'away';
    expect(await admitted(capacity + 5)).toBe(expected);
  });

  it.each([
    [10, 2],
    [10, 3],
    [3, 4],
    [1, 10],
  ])('a limit of %d among %d replicas is never exceeded by all together', async (capacity, replicas) => {
    const { store, admitted, pass } = setUp(replicas, capacity);
    store.state = 'away';
    const windows = 30;
    let count = 0;
    for (let i = 0; i < windows * 60; i++) {
      count += await admitted(capacity);
      pass(MINUTE / 60);
    }
    expect(count * replicas).toBeLessThanOrEqual(capacity * (windows + 1));
    expect(count).toBeGreaterThanOrEqual(Math.floor((capacity / replicas) * (windows - 1)));
  });

  it('a share below one token says when its token will be there, and keeps its word', async () => {
    const { store, limiter, bucket, pass } = setUp(4, 1);
    store.state = 'away';
    const { allowed, retryAfterMs } = await limiter.take(bucket);
    expect([allowed, retryAfterMs]).toEqual([false, 3 * MINUTE]);
    pass(retryAfterMs - 1);
    expect((await limiter.take(bucket)).allowed).toBe(false);
    pass(1);
    expect((await limiter.take(bucket)).allowed).toBe(true);
  });

  it.each([
    ['nothing was left', 0, 0, 0],
    ['four were left', 4, 0, 2],
    ['nothing was left a while ago, and four have refilled', 0, 24_000, 2],
    ['nothing was left long ago', 0, 100 * MINUTE, 5],
  ])('a share continues from what was last seen: %s', async (_, remaining, passed, expected) => {
    const { state, store, limiter, bucket, admitted, pass } = setUp(2, 10);
    state.answer = { allowed: true, remaining, retryAfterMs: 0 };
    await limiter.take(bucket);
    pass(passed);
    store.state = 'away';
    expect(await admitted(20)).toBe(expected);
  });
});

describe('what was given out without the store', () => {
  it('is handed over once', async () => {
    const { state, store, admitted } = setUp(2, 10);
    store.state = 'away';
    expect(await admitted(20)).toBe(5);
    store.state = 'ready';
    await admitted(3);
    expect(state.debts).toEqual([5, 0, 0]);
  });

  it('is handed over once by requests that come together', async () => {
    const { state, store, limiter, bucket, admitted } = setUp(2, 10);
    store.state = 'away';
    await admitted(3);
    store.state = 'ready';
    await Promise.all([limiter.take(bucket), limiter.take(bucket)]);
    expect(state.debts).toEqual([3, 0]);
  });

  it('is kept if that fails, with what is given out then', async () => {
    const { state, store, admitted } = setUp(2, 10);
    store.state = 'away';
    await admitted(2);
    store.state = 'ready';
    state.answer = new StoreUnavailableError();
    expect(await admitted(4)).toBe(3);
    state.answer = { allowed: true, remaining: 5, retryAfterMs: 0 };
    await admitted(2);
    expect(state.debts).toEqual([2, 3, 4, 5, 5, 0]);
  });
});

it('falls back to the share where something that is no bucket lies under the key', async () => {
  const { state, admitted } = setUp(2, 10);
  state.answer = new Error('WRONGTYPE Operation against a key');
  expect(await admitted(20)).toBe(5);
});

it('does not hide any other fault', async () => {
  const { state, limiter, bucket } = setUp(2, 10);
  state.answer = new Error('a mistake of ours');
  await expect(limiter.take(bucket)).rejects.toBe(state.answer);
});
