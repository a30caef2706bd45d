import { stepBreaker, freshBreaker, type BreakerStep, type BreakerView, type Store } from '#libs/store';
import { Breaker } from './breaker';
import { breakerRules, type BreakerPolicy } from './breaker-policy';
import { OutcomeWindow } from './outcome-window';
import type { Permit } from './permit';
import { SharedBreakers } from './shared-breakers';

const T = 1_800_000_000_000;

beforeEach(() => void jest.useFakeTimers({ now: T }));
afterEach(() => void jest.useRealTimers());

/** A store of one record, that comes and goes, and says what it was asked. */
class OneRecord {
  state: Store['state'] = 'ready';
  readonly fleet = { size: 2 };
  readonly changes = { epoch: 0, trustMs: Infinity, subscribe: () => undefined };
  readonly record = freshBreaker();
  readonly steps: string[] = [];
  readonly breakers = {
    step: async (_key: string, step: BreakerStep): Promise<BreakerView> => {
      this.steps.push(step.do);
      await Promise.resolve();
      return stepBreaker(this.record, step, Date.now());
    },
  };

  shared(): SharedBreakers {
    return new SharedBreakers(this as unknown as Store);
  }
}

interface Subject {
  readonly breaker: Breaker;
  readonly events: string[];
  /** Requests that end: `.` well, `x` failed, `s` slow. */
  readonly end: (outcomes: string) => void;
}

function subject(policy: BreakerPolicy, shared?: SharedBreakers): Subject {
  const window = new OutcomeWindow(10_000);
  const events: string[] = [];
  let failures = 0;
  const changed = (_: Breaker, standing: string, decided: boolean): void => {
    events.push(decided ? standing : `(${standing})`);
    if (standing === 'closed') failures = 0;
  };
  const breaker = new Breaker('key', breakerRules(policy, 1000), window, { changed }, shared);
  const end = (outcomes: string): void => {
    for (const outcome of outcomes) {
      window.note(outcome === 'x', outcome === 's', Date.now());
      failures = outcome === 'x' ? failures + 1 : 0;
      breaker.note(failures, Date.now());
    }
  };
  return { breaker, events, end };
}

const NEVER = { failures: 1000, minRequests: 100_000 };

describe('a breaker', () => {
  it.each<[policy: BreakerPolicy, outcomes: string, reason: string | undefined]>([
    [{ ...NEVER, failures: 3 }, 'xx.xx', undefined],
    [{ ...NEVER, failures: 3 }, 'xx.xxx', '3 failures in a row'],
    [{ ...NEVER, minRequests: 4 }, 'xxx', undefined],
    [{ ...NEVER, minRequests: 4 }, 'xxx.', '3 of 4 requests failed'],
    [{ ...NEVER, minRequests: 4 }, 'x...x', undefined],
    [{ ...NEVER, minRequests: 4, errorPercent: 40 }, 'x...x', '2 of 5 requests failed'],
    [{ ...NEVER, minRequests: 5, slowMs: 7 }, 'sss..', undefined],
    [{ ...NEVER, minRequests: 5, slowMs: 7 }, 'sss.s', '4 of 5 requests were slower than 7 ms'],
    [{ ...NEVER, minRequests: 4, slowMs: 7, slowPercent: 50 }, 's.x.', undefined],
    // The defaults.
    [{}, '....................xxxx', undefined],
    [{}, 'xxxxx', '5 failures in a row'],
    [{}, 'x.x.x.x.x.x.x.x.x.x', undefined],
    [{}, 'x.x.x.x.x.x.x.x.x.x.', '10 of 20 requests failed'],
  ])('with %j opens for %s: %s', (policy, outcomes, reason) => {
    const { breaker, end } = subject(policy);
    end(outcomes);
    expect([breaker.shut, breaker.passes]).toEqual([reason !== undefined, reason === undefined]);
    expect(breaker.view(Date.now()).reason).toBe(reason ?? '');
  });

  it('of one process opens, probes, opens for longer, closes and forgets', async () => {
    const { breaker, end, events } = subject({
      ...NEVER,
      failures: 2,
      openMs: 1000,
      maxOpenMs: 1500,
      probes: 2,
    });
    end('xx');
    expect(breaker.retryAfterMs(Date.now())).toBe(1000);
    end('xxxx');
    jest.setSystemTime(T + 999);
    expect(breaker.isDue(Date.now())).toBe(false);
    jest.setSystemTime(T + 1000);
    expect([breaker.isDue(Date.now()), breaker.shut]).toEqual([true, true]);
    const first = (await breaker.ask(Date.now())) as Permit;
    const second = (await breaker.ask(Date.now())) as Permit;
    expect(await breaker.ask(Date.now())).toBeUndefined();
    expect(breaker.isDue(Date.now())).toBe(false);
    first.settle('succeeded');
    second.settle('failed');
    // Only the first word counts.
    second.settle('succeeded');
    await jest.advanceTimersByTimeAsync(0);
    expect(breaker.view(Date.now())).toMatchObject({ state: 'open', remainingMs: 1500, openings: 2 });
    jest.setSystemTime(T + 2500);
    for (let i = 0; i < 2; i++) (await breaker.ask(Date.now()))?.settle('succeeded');
    await jest.advanceTimersByTimeAsync(0);
    expect(breaker.passes).toBe(true);
    end('x');
    expect(breaker.passes).toBe(true);
    expect(events).toEqual(['open', 'half_open', 'open', 'half_open', 'closed']);
  });

  it('asks the store nothing while it is closed and known to be', async () => {
    const store = new OneRecord();
    const { breaker, end } = subject(NEVER, store.shared());
    expect(breaker.doubtful).toBe(true);
    await Promise.all([breaker.learn(), breaker.learn()]);
    end('....x..x');
    expect([breaker.passes, store.steps]).toEqual([true, ['read']]);
    breaker.doubt();
    expect([breaker.passes, breaker.doubtful]).toEqual([false, true]);
    breaker.presume();
    expect(breaker.passes).toBe(true);
  });

  it('is shut at once, before the store has answered, and learns what others have done', async () => {
    const store = new OneRecord();
    const policy = { ...NEVER, failures: 2, openMs: 1000 };
    const [one, other] = [subject(policy, store.shared()), subject(policy, store.shared())];
    await Promise.all([one.breaker.learn(), other.breaker.learn()]);
    one.end('xx');
    expect(one.breaker.shut).toBe(true);
    await jest.advanceTimersByTimeAsync(0);
    other.end('xx');
    await jest.advanceTimersByTimeAsync(0);
    // One opening, however many find that it is time.
    expect(store.record.openings).toBe(1);
    expect(other.breaker.view(Date.now()).generation).toBe(one.breaker.view(Date.now()).generation);
    stepBreaker(store.record, { do: 'force', state: 'none', reason: 'r' }, Date.now());
    one.breaker.hear();
    await jest.advanceTimersByTimeAsync(0);
    expect([one.breaker.passes, one.events]).toEqual([true, ['open', '(closed)']]);
    // What it has seen before that says nothing any more.
    expect(one.breaker.window.requests).toBe(0);
  });

  it('waits before it asks again for a permit, also where the store took longer than that to say no', async () => {
    const store = new OneRecord();
    const policy = { ...NEVER, failures: 2, openMs: 1000, probes: 1 };
    const [one, other] = [subject(policy, store.shared()), subject(policy, store.shared())];
    await Promise.all([one.breaker.learn(), other.breaker.learn()]);
    one.end('xx');
    await jest.advanceTimersByTimeAsync(0);
    await other.breaker.learn();
    jest.setSystemTime(T + 1000);
    expect(await one.breaker.ask(Date.now())).toBeDefined();
    const { step } = store.breakers;
    store.breakers.step = (key, asked) => {
      jest.setSystemTime(Date.now() + 300);
      return step(key, asked);
    };
    expect(other.breaker.isDue(Date.now())).toBe(true);
    expect(await other.breaker.ask(Date.now())).toBeUndefined();
    // Or every request would ask it again and again, without a moment in between.
    expect(other.breaker.isDue(Date.now())).toBe(false);
    jest.setSystemTime(Date.now() + 100);
    expect(other.breaker.isDue(Date.now())).toBe(true);
  });

  it('decides alone while the store is away, with its share of the probes, and tells it afterwards', async () => {
    const store = new OneRecord();
    const { breaker, end } = subject({ ...NEVER, failures: 2, openMs: 1000, probes: 4 }, store.shared());
    await breaker.learn();
    store.state = 'away';
    end('xx');
    await jest.advanceTimersByTimeAsync(0);
    expect(breaker.shut).toBe(true);
    jest.setSystemTime(T + 1000);
    const permits = [];
    for (let i = 0; i < 5; i++) permits.push(await breaker.ask(Date.now()));
    expect(permits.filter((permit) => permit)).toHaveLength(2);
    permits[0]?.settle('failed');
    await jest.advanceTimersByTimeAsync(0);
    expect(breaker.view(Date.now())).toMatchObject({ state: 'open', remainingMs: 2000 });
    expect(store.steps).toEqual(['read']);
    store.state = 'ready';
    jest.setSystemTime(T + 1500);
    breaker.doubt();
    await jest.advanceTimersByTimeAsync(0);
    expect(store.record).toMatchObject({ state: 'open', until: T + 3000, reason: 'a probe failed' });
    expect(breaker.view(Date.now())).toMatchObject({ state: 'open', remainingMs: 1500 });
  });

  it('does not fail a request when the store fails otherwise', async () => {
    const store = new OneRecord();
    store.breakers.step = () => Promise.reject(new Error('WRONGTYPE'));
    const { breaker, end } = subject({ ...NEVER, failures: 1 }, store.shared());
    await breaker.learn();
    expect(breaker.passes).toBe(true);
    end('x');
    await jest.advanceTimersByTimeAsync(0);
    expect(breaker.shut).toBe(true);
  });

  it('notices that changes may have been missed once for each time, and always while nobody vouches', () => {
    const store = new OneRecord();
    const shared = store.shared();
    expect(shared.missedChanges()).toBe(false);
    store.changes.epoch += 1;
    expect([shared.missedChanges(), shared.missedChanges()]).toEqual([true, false]);
    store.changes.trustMs = 0;
    expect([shared.missedChanges(), shared.missedChanges()]).toEqual([true, true]);
  });
});
