import { StoreUnavailableError, type Bucket, type Budget, type Charge } from '#libs/store';
import { LimitStore } from '../../../test/support/limit-store';
import { LocalLimits } from './local-limits';
import { Shares } from './shares';

const HOUR = 3_600_000;
const bucketOf = (key: string, capacity = 10): Bucket => ({ key, capacity, windowMs: HOUR });
const budgetOf = (key: string, cost = 1): Budget => ({ key, capacity: 1000, windowMs: 0, cost, endsAt: 0 });

let store: LimitStore;
let locals: LocalLimits;
let shares: Shares;
beforeEach(() => {
  jest.useFakeTimers({ now: 1_800_000_000_000 });
  store = new LimitStore();
  store.state = 'away';
  locals = new LocalLimits(Date.now);
  shares = new Shares(store.asStore(), locals, Date.now);
});
afterEach(() => void jest.useRealTimers());

const takeMany = (claim: Parameters<Shares['take']>[0], count: number): number => {
  let admitted = 0;
  for (let i = 0; i < count; i++) if (shares.take(claim).allowed) admitted += 1;
  return admitted;
};
const charged = (): [key: string, amount: number][][] =>
  store.charged.map((charges) => charges.map(([{ key }, amount]) => [key, amount]));
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

describe('a share', () => {
  it('is taken all or none, and says which limit refused', () => {
    const [bucket, budget] = [bucketOf('bucket'), budgetOf('budget')];
    locals.heard(locals.of(budget), 4);
    store.fleet.size = 2;
    expect(takeMany([bucket, budget], 9)).toBe(2);
    expect(shares.take([bucket, budget])).toEqual({
      allowed: false,
      verdicts: [
        { allowed: true, remaining: 3, retryAfterMs: 0 },
        { allowed: false, remaining: 0, retryAfterMs: 0 },
      ],
    });
    expect(takeMany([bucket], 9)).toBe(3);
  });

  it('of a budget is charged what each of its requests costs', async () => {
    const [dear, cheap] = [budgetOf('budget', 7), budgetOf('budget', 2)];
    locals.heard(locals.of(dear), 10);
    expect([dear, cheap, dear, cheap].map((budget) => shares.take([budget]).allowed)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(takeMany([budgetOf('budget', 0)], 3)).toBe(3);
    store.state = 'ready';
    await pass(25);
    expect(charged()).toEqual([[['budget', 9]]]);
  });

  it('of a budget of which nothing is known is none, and nothing else is taken for it', async () => {
    const bucket = bucketOf('bucket');
    expect(() => shares.take([bucket, budgetOf('budget')])).toThrow(StoreUnavailableError);
    expect(takeMany([bucket], 20)).toBe(10);
  });

  it('goes on where it was for another object of the same key, also with another capacity', () => {
    expect(takeMany([bucketOf('bucket')], 7)).toBe(7);
    expect(takeMany([bucketOf('bucket', 500)], 20)).toBe(3);
  });

  it('is made anew when there are more to share with', () => {
    store.fleet.size = 2;
    expect(takeMany([bucketOf('bucket')], 1)).toBe(1);
    store.fleet.size = 10;
    expect(takeMany([bucketOf('bucket')], 20)).toBe(1);
  });

  it('gets back what is refunded, and not more than it had', () => {
    const budget = budgetOf('budget', 2);
    locals.heard(locals.of(budget), 10);
    expect(takeMany([budget], 9)).toBe(5);
    shares.refund(budget, 4);
    expect(takeMany([budget], 9)).toBe(2);
    shares.refund(budget, 1000);
    expect(takeMany([budget], 99)).toBe(5);
  });
});

describe('what was given out', () => {
  it('of all limits is charged within 25 ms of the return, in one call and without a request', async () => {
    const buckets = ['a', 'b', 'c'].map((key) => bucketOf(key));
    buckets.forEach((bucket, i) => takeMany([bucket], 1 + i));
    await pass(10_000);
    expect(charged()).toEqual([]);
    store.state = 'ready';
    await pass(25);
    expect(charged()).toEqual([[['a', 1], ['b', 2], ['c', 3]]]); // prettier-ignore
    await pass(10_000);
    expect(charged()).toHaveLength(1);
    expect(store.memory.peek(buckets).verdicts.map(({ remaining }) => remaining)).toEqual([9, 8, 7]);
  });

  it('is charged before anything that is asked for afterwards', () => {
    const bucket = bucketOf('a');
    takeMany([bucket], 4);
    store.state = 'ready';
    void shares.settle();
    expect(store.memory.take([bucket])).toMatchObject({ verdicts: [{ remaining: 5 }] });
  });

  it('and could not be charged is tried again: that alone, with what has come since, until it has worked', async () => {
    const [here, there] = [bucketOf('here'), bucketOf('there')];
    let away = true;
    const charge = store.limits.charge.bind(store.limits);
    store.limits.charge = async (charges) => {
      const possible = charges.filter(([{ key }]) => !away || key !== 'there');
      await charge(possible);
      return charges.filter((one) => !possible.includes(one));
    };
    takeMany([here, there], 3);
    store.state = 'ready';
    await pass(25);
    takeMany([there], 2);
    await pass(10_000);
    away = false;
    await pass(10_000);
    expect(charged().filter((charges) => charges.length > 0)).toEqual([[['here', 3]], [['there', 5]]]);
  });

  it('is not tried again all the time where the store is there but cannot take it', async () => {
    takeMany([bucketOf('a')], 1);
    store.state = 'ready';
    store.failure = new StoreUnavailableError();
    await pass(10_000);
    expect(store.charged.length).toBeGreaterThan(5);
    expect(store.charged.length).toBeLessThan(50);
    // Nor by requests that come meanwhile.
    expect(shares.owing).toBe(false);
    store.failure = undefined;
    await pass(1000);
    expect(store.memory.peek([bucketOf('a')])).toMatchObject({ verdicts: [{ remaining: 9 }] });
  });

  it('is tried again at once when the store has been away meanwhile', async () => {
    takeMany([bucketOf('a')], 1);
    store.state = 'ready';
    store.failure = new StoreUnavailableError();
    await pass(25);
    expect(store.charged).toHaveLength(1);
    store.state = 'away';
    await pass(25);
    [store.state, store.failure] = ['ready', undefined];
    await pass(25);
    expect(store.charged).toHaveLength(2);
    await pass(1000);
    expect(store.charged).toHaveLength(2);
  });

  it('and is wrong for another reason than absence is not tried again', async () => {
    takeMany([bucketOf('a')], 1);
    store.limits.charge = (charges: readonly Charge[]) => {
      store.charged.push(charges);
      return Promise.reject(new Error('a mistake of ours'));
    };
    store.state = 'ready';
    await pass(10_000);
    expect(store.charged).toHaveLength(1);
  });

  it('keeps no process alive, and no timer once it has been charged', async () => {
    const timers = jest.spyOn(globalThis, 'setInterval');
    takeMany([bucketOf('a')], 3);
    expect(timers).toHaveBeenCalledTimes(1);
    expect((timers.mock.results[0]?.value as NodeJS.Timeout).hasRef()).toBe(false);
    store.state = 'ready';
    await pass(25);
    expect(jest.getTimerCount()).toBe(0);
    timers.mockRestore();
  });

  it('is charged at the end of the process, and not waited for when the store is away', async () => {
    takeMany([bucketOf('a')], 3);
    await shares.close();
    expect([charged().length, jest.getTimerCount()]).toEqual([0, 0]);
    store.state = 'ready';
    await shares.close();
    expect(charged()).toEqual([[['a', 3]]]);
  });
});

describe('refunds', () => {
  it('of one turn of the event loop share a call', async () => {
    store.state = 'ready';
    const [a, b] = [budgetOf('a', 5), budgetOf('b', 1)];
    store.memory.charge([[a, 500], [b, 500]]); // prettier-ignore
    for (let i = 0; i < 10; i++) shares.refund(a, 5);
    shares.refund(b, 1);
    expect(charged()).toEqual([]);
    await pass(0);
    expect(charged()).toEqual([[['a', -50], ['b', -1]]]); // prettier-ignore
    expect(jest.getTimerCount()).toBe(0);
    shares.refund(b, 1);
    await pass(0);
    expect(charged()[1]).toEqual([['b', -1]]);
  });

  it('while the store is away are made at its return, set off against what was given out', async () => {
    const [a, b] = [budgetOf('a'), budgetOf('b')];
    locals.heard(locals.of(a), 10);
    takeMany([a], 4);
    shares.refund(a, 1);
    shares.refund(b, 2);
    await pass(1000);
    expect(charged()).toEqual([]);
    store.state = 'ready';
    await pass(25);
    expect(charged()).toEqual([[['a', 3], ['b', -2]]]); // prettier-ignore
  });
});
