import type { Bucket, ClaimVerdict } from '#libs/store';
import { LimitStore } from '../../../test/support/limit-store';
import { Leases } from './leases';
import { LocalLimits } from './local-limits';

const DAY = 86_400_000;
const bucketOf = (key: string, capacity = 100, windowMs = DAY): Bucket => ({ key, capacity, windowMs });

let store: LimitStore;
let leases: Leases;
beforeEach(() => {
  jest.useFakeTimers({ now: 1_800_000_000_000 });
  store = new LimitStore();
  leases = new Leases(store.asStore(), new LocalLimits(Date.now));
});
afterEach(() => void jest.useRealTimers());

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const take = async (claim: readonly Bucket[]): Promise<ClaimVerdict> => leases.take(claim);
const takeMany = async (claim: readonly Bucket[], count: number): Promise<number> => {
  let admitted = 0;
  for (let i = 0; i < count; i++) if ((await take(claim)).allowed) admitted += 1;
  return admitted;
};
/** Requests at a steady pace. */
const keepTaking = async (claim: readonly Bucket[], everyMs: number, count: number): Promise<number> => {
  let admitted = 0;
  for (let i = 0; i < count; i++) {
    admitted += await takeMany(claim, 1);
    await pass(everyMs);
  }
  return admitted;
};
/** Requests until the lease is renewed: how many it took. */
const takeUntilAsked = (bucket: Bucket): number => {
  const before = store.leased.length;
  let count = 0;
  for (; store.leased.length === before && count < 10_000; count++) void take([bucket]);
  return count;
};
/** Leases that are remembered. */
const active = (): number => (leases as unknown as { active: Set<unknown> }).active.size;

describe('what nobody wants any more', () => {
  it('is given back within half a second, what was used is reported, and nothing is kept of it', async () => {
    const claim = [bucketOf('a', 1000)];
    expect(await keepTaking(claim, 1, 200)).toBe(200);
    expect(store.left(bucketOf('a', 1000))).toBeLessThan(800);
    await pass(500);
    expect(store.left(bucketOf('a', 1000))).toBe(800);
    expect(store.leased.at(-1)).toMatchObject([{ wanted: 0, held: 0 }]);
    await pass(250);
    expect([active(), jest.getTimerCount()]).toEqual([0, 0]);
    const calls = store.leased.length;
    await pass(10_000);
    expect(store.leased).toHaveLength(calls);
  });

  it.each([1, 2])('refills as if it had never been on lease: %d', async (count) => {
    const bucket = bucketOf('a', 10, 5000);
    await takeMany([bucket], count);
    // Two tokens in a second, and nothing keeps their place.
    await pass(400 + 500 * count);
    expect(store.left(bucket)).toBe(10);
  });

  it('comes back in one call for all buckets', async () => {
    const buckets = Array.from({ length: 20 }, (_, i) => bucketOf(`b${i}`, 1000));
    for (let i = 0; i < 5; i++) for (const bucket of buckets) await takeMany([bucket], 10);
    const calls = store.leased.length;
    await pass(500);
    expect(store.leased).toHaveLength(calls + 1);
    expect(buckets.map((bucket) => store.left(bucket))).toEqual(buckets.map(() => 950));
  });

  it('comes back in the second half of its life also from a bucket that is in use', async () => {
    const claim = [bucketOf('a', 1_000_000)];
    await keepTaking(claim, 1, 300);
    // Some hundred tokens on lease, of which a few are used now and then.
    expect(await keepTaking(claim, 240, 4)).toBe(4);
    expect(1_000_000 - 304 - store.left(bucketOf('a', 1_000_000))).toBeLessThanOrEqual(5);
  });

  it('is void and forgotten after a time in which the store was away', async () => {
    const claim = [bucketOf('a', 1000)];
    await keepTaking(claim, 1, 200);
    store.state = 'away';
    const calls = store.leased.length;
    await pass(3000);
    expect([store.leased.length - calls, active(), jest.getTimerCount()]).toEqual([0, 0, 0]);
    store.state = 'ready';
    // What had been on lease is lost, and that was a few tokens.
    expect(store.left(bucketOf('a', 1000))).toBeGreaterThan(700);
    expect(await takeMany(claim, 10)).toBe(10);
  });

  it('comes back at the end, all of it, after the call under way', async () => {
    const [a, b] = [bucketOf('a', 1000), bucketOf('b', 1000)];
    for (const bucket of [a, b]) await keepTaking([bucket], 1, 100);
    const release = store.holdAnswers();
    const used = takeUntilAsked(a);
    const closed = leases.close();
    await release();
    await closed;
    expect([store.left(a), store.left(b)]).toEqual([900 - used, 900]);
    expect([active(), jest.getTimerCount()]).toEqual([0, 0]);
  });

  it('keeps no process alive', async () => {
    const timers = jest.spyOn(globalThis, 'setInterval');
    await takeMany([bucketOf('a')], 2);
    expect(timers).toHaveBeenCalledTimes(1);
    expect((timers.mock.results[0]?.value as NodeJS.Timeout).hasRef()).toBe(false);
    timers.mockRestore();
  });
});
