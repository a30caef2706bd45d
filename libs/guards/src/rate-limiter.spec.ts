import {
  StoreUnavailableError,
  type Bucket,
  type Budget,
  type Charge,
  type Claim,
  type LimitVerdict,
  type Store,
} from '#libs/store';
import { LimitStore } from '../../../test/support/limit-store';
import { RateLimiter, type RateLimitMode } from './rate-limiter';

const MINUTE = 60_000;
const bucketOf = (capacity: number): Bucket => ({ key: 'rl:acme:60', capacity, windowMs: MINUTE });

beforeEach(() => void jest.useFakeTimers({ now: 1_800_000_000_000 }));
afterEach(() => void jest.useRealTimers());

/** A limiter over a store that says what it is told to, and a clock that tests turn by hand. */
function setUp(replicas: number, capacity: number) {
  const state = {
    answer: { allowed: true, remaining: 5, retryAfterMs: 0 } as LimitVerdict | Error,
    charges: [] as number[],
  };
  const store = {
    state: 'ready',
    fleet: { size: replicas },
    limits: {
      take: async () => {
        if (state.answer instanceof Error) throw state.answer;
        return { allowed: state.answer.allowed, verdicts: [state.answer] };
      },
      charge: async (charges: readonly Charge[]) => {
        state.charges.push(...charges.map(([, amount]) => amount));
        return state.answer instanceof StoreUnavailableError ? charges : [];
      },
    },
  };
  const limiter = new RateLimiter(store as unknown as Store);
  const claim: Claim = [bucketOf(capacity)];
  const take = async (): Promise<LimitVerdict> => (await limiter.take(claim)).verdicts[0] as LimitVerdict;
  const admitted = async (requests: number): Promise<number> => {
    let count = 0;
    for (let i = 0; i < requests; i++) if ((await take()).allowed) count += 1;
    return count;
  };
  const pass = (ms: number): void => void jest.setSystemTime(Date.now() + ms);
  return { state, store, limiter, claim, take, admitted, pass };
}

it('passes on what the store says', async () => {
  const { state, limiter, claim } = setUp(1, 10);
  state.answer = { allowed: false, remaining: 0, retryAfterMs: 700 };
  expect(await limiter.take(claim)).toEqual({ allowed: false, verdicts: [state.answer] });
  expect(state.charges).toEqual([]);
  expect(limiter.sharesTaken).toBe(0);
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
    const { store, limiter, admitted } = setUp(replicas, capacity);
    store.state = 'away';
    expect(await admitted(capacity + 5)).toBe(expected);
    expect(limiter.sharesTaken).toBe(capacity + 5);
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
    const { store, take, pass } = setUp(4, 1);
    store.state = 'away';
    const { allowed, retryAfterMs } = await take();
    expect([allowed, retryAfterMs]).toEqual([false, 3 * MINUTE]);
    pass(retryAfterMs - 1);
    expect((await take()).allowed).toBe(false);
    pass(1);
    expect((await take()).allowed).toBe(true);
  });

  it.each([
    ['nothing was left', 0, 0, 0],
    ['four were left', 4, 0, 2],
    ['nothing was left a while ago, and four have refilled', 0, 24_000, 2],
    ['nothing was left long ago', 0, 100 * MINUTE, 5],
  ])('a share continues from what was last seen: %s', async (_, remaining, passed, expected) => {
    const { state, store, take, admitted, pass } = setUp(2, 10);
    state.answer = { allowed: true, remaining, retryAfterMs: 0 };
    await take();
    pass(passed);
    store.state = 'away';
    expect(await admitted(20)).toBe(expected);
  });

  it('a budget of which nothing is known is refused as a store that is away, never by an exception', async () => {
    const { store, limiter } = setUp(2, 10);
    store.state = 'away';
    const budget: Budget = { key: 'rl:acme:quota', capacity: 10, windowMs: 0, cost: 1, endsAt: 0 };
    await expect(limiter.take([budget])).rejects.toThrow(StoreUnavailableError);
  });
});

describe('what was given out without the store', () => {
  it('is charged once', async () => {
    const { state, store, admitted } = setUp(2, 10);
    store.state = 'away';
    expect(await admitted(20)).toBe(5);
    store.state = 'ready';
    await admitted(3);
    await jest.advanceTimersByTimeAsync(1000);
    expect(state.charges).toEqual([5]);
  });

  it('is charged once by requests that come together', async () => {
    const { state, store, limiter, claim, admitted } = setUp(2, 10);
    store.state = 'away';
    await admitted(3);
    store.state = 'ready';
    await Promise.all([limiter.take(claim), limiter.take(claim)]);
    expect(state.charges).toEqual([3]);
  });

  it('is kept if that fails, with what is given out then', async () => {
    const { state, store, admitted } = setUp(2, 10);
    store.state = 'away';
    expect(await admitted(2)).toBe(2);
    store.state = 'ready';
    state.answer = new StoreUnavailableError();
    // The same share goes on, for as long as nothing else is known.
    expect(await admitted(4)).toBe(3);
    expect(await admitted(100)).toBe(0);
    state.answer = { allowed: true, remaining: 5, retryAfterMs: 0 };
    await jest.advanceTimersByTimeAsync(1000);
    await admitted(2);
    expect(state.charges[0]).toBe(2);
    expect(state.charges.at(-1)).toBe(5);
    const paid = state.charges.length;
    await jest.advanceTimersByTimeAsync(1000);
    expect(state.charges).toHaveLength(paid);
  });

  it('ends with the word of the store: the next absence begins with what was left then', async () => {
    const { state, store, take, admitted } = setUp(2, 10);
    store.state = 'away';
    expect(await admitted(20)).toBe(5);
    store.state = 'ready';
    state.answer = { allowed: true, remaining: 8, retryAfterMs: 0 };
    await take();
    store.state = 'away';
    expect(await admitted(20)).toBe(4);
  });
});

it('falls back to the share where something that is no bucket lies under the key', async () => {
  const { state, admitted } = setUp(2, 10);
  state.answer = new Error('WRONGTYPE Operation against a key');
  expect(await admitted(20)).toBe(5);
  // However often what was given out has been charged meanwhile.
  await jest.advanceTimersByTimeAsync(1000);
  expect(await admitted(20)).toBe(0);
});

it('does not hide any other fault', async () => {
  const { state, limiter, claim } = setUp(2, 10);
  state.answer = new Error('a mistake of ours');
  await expect(limiter.take(claim)).rejects.toBe(state.answer);
});

describe('in mode leased', () => {
  const modeOf = (mode: RateLimitMode, replicas = 2) => {
    const store = new LimitStore();
    store.fleet.size = replicas;
    return { store, limiter: new RateLimiter(store.asStore(), mode) };
  };

  it('buckets are leased, and claims with a budget among them are decided by the store', async () => {
    const { store, limiter } = modeOf('leased');
    const budget: Budget = { key: 'rl:acme:quota', capacity: 10, windowMs: 0, cost: 1, endsAt: 0 };
    await limiter.take([bucketOf(100)]);
    expect([store.leased.length, store.takes]).toEqual([1, 0]);
    await limiter.take([bucketOf(100), budget]);
    expect([store.leased.length, store.takes]).toEqual([1, 1]);
  });

  it.each([
    ['the store cannot be reached', new StoreUnavailableError()],
    ['something that is no bucket lies under a key', new Error('WRONGTYPE Operation against a key')],
  ])('it falls back to the share where %s', async (_, failure) => {
    const { store, limiter } = modeOf('leased');
    store.failure = failure;
    let admitted = 0;
    for (let i = 0; i < 30; i++) if ((await limiter.take([bucketOf(10)])).allowed) admitted += 1;
    expect(admitted).toBe(5);
  });

  it('what is said to be left is what the store has and what is on lease, and never more than everything', async () => {
    const { store, limiter } = modeOf('leased', 1);
    const claim = [bucketOf(1000)];
    const verdicts = await Promise.all(Array.from({ length: 400 }, async () => limiter.take(claim)));
    const left = verdicts.map(({ verdicts: [only] }) => only?.remaining);
    expect(verdicts.every(({ allowed }) => allowed)).toBe(true);
    expect(Math.max(...left.map(Number))).toBeLessThan(1000);
    expect(Math.min(...left.map(Number))).toBe(600);
    // Nor does a share begin with more than was seen.
    store.state = 'away';
    let admitted = 0;
    for (let i = 0; i < 1000; i++) if ((await limiter.take(claim)).allowed) admitted += 1;
    expect(admitted).toBeLessThanOrEqual(600);
  });

  it('what is owed is charged and what is on lease given back at the end', async () => {
    const { store, limiter } = modeOf('leased', 1);
    const bucket = bucketOf(100);
    await limiter.take([bucket]);
    for (let i = 0; i < 20; i++) await limiter.take([bucket]);
    store.state = 'away';
    for (let i = 0; i < 4; i++) await limiter.take([bucket]);
    store.state = 'ready';
    await limiter.close();
    expect(store.memory.peek([bucket]).verdicts[0]?.remaining).toBe(100 - 21 - 4);
    expect(jest.getTimerCount()).toBe(0);
  });
});
