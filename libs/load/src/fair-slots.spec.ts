import type { Account } from './account';
import { FairSlots, type FairSlotsTerms } from './fair-slots';
import { Waiter, type Verdict } from './waiter';

const LONG_MS = 1_000_000;
/** Some service times. */
const SETTLED = 200;
let now = 0;
let made: FairSlots[] = [];

beforeEach(() => {
  now = 0;
  made = [];
});

function slotsOf(terms: Partial<FairSlotsTerms> = {}): FairSlots {
  const slots = new FairSlots({ limit: 10, maxQueued: 20, queueMs: LONG_MS, ...terms });
  made.push(slots);
  return slots;
}

/** What came of so many requests of a tenant: those with a slot, those that wait, those that were shed. */
function ask(slots: FairSlots, tenant: string, count = 1) {
  const account = slots.account(tenant, now);
  const entries = Array.from({ length: count }, () => slots.enter(account));
  const waiters = entries.filter((entry) => entry instanceof Waiter);
  const verdicts: Verdict[] = [];
  for (const waiter of waiters) void waiter.promise.then((verdict) => verdicts.push(verdict));
  return {
    account,
    waiters,
    verdicts,
    entered: entries.filter((entry) => entry === true).length,
    shed: entries.filter((entry) => typeof entry === 'string').length,
  };
}

afterEach(() => {
  for (const slots of made)
    for (const account of ['noisy', 'polite', 'a', 'b', 'c'].map((id) => slots.account(id, now)))
      for (const waiter of [...account.queue]) slots.cancel(waiter);
});

describe('slots of one tenant', () => {
  it('are all of them while nobody else is there', () => {
    const slots = slotsOf();
    expect(ask(slots, 'a', 31)).toMatchObject({ entered: 10, shed: 1 });
    expect(slots).toMatchObject({ inflight: 10, queued: 20 });
  });

  it('come free in the order in which they were asked for', async () => {
    const slots = slotsOf({ limit: 1 });
    const { account, waiters } = ask(slots, 'a', 3);
    const order: number[] = [];
    waiters.forEach(({ promise }, i) => void promise.then(() => order.push(i)));
    slots.leave(account);
    slots.leave(account);
    await Promise.all(waiters.map(({ promise }) => promise));
    expect(order).toEqual([0, 1]);
    expect(slots).toMatchObject({ inflight: 1, queued: 0 });
  });

  it('are bounded by the bound of the tenant, also where there is no other', () => {
    const slots = slotsOf({ limit: Infinity, maxQueued: 1 });
    const account = slots.account('a', 0);
    account.maxConcurrency = 2;
    expect([0, 1, 2, 3].map(() => slots.enter(account))).toEqual([
      true,
      true,
      expect.any(Waiter),
      'tenant_full',
    ]);
    slots.leave(account);
    expect(slots).toMatchObject({ inflight: 2, queued: 0 });
  });

  it('do not hold up others when the bound was lowered while it waited', () => {
    const slots = slotsOf({ limit: 2 });
    const first = ask(slots, 'a', 3).account;
    const second = ask(slots, 'b', 1);
    first.maxConcurrency = 1;
    slots.leave(first);
    expect(second.waiters[0]?.granted).toBe(true);
    expect(first).toMatchObject({ inflight: 1 });
    slots.leave(first);
    expect(first.queue).toEqual([]);
  });
});

describe('a tenant far above its share', () => {
  it('leaves room for those who were there a moment ago, who get in at once', () => {
    const slots = slotsOf({ limit: 16 });
    slots.leave(one(slots, 'polite'));
    expect(ask(slots, 'noisy', 320)).toMatchObject({ entered: 14 });
    expect(ask(slots, 'polite', 2)).toMatchObject({ entered: 2, shed: 0 });
  });

  it('gets the slots that come free only after those who have fewer', () => {
    const slots = slotsOf();
    const noisy = ask(slots, 'noisy', 30);
    const polite = ask(slots, 'polite', 5);
    expect(polite).toMatchObject({ entered: 0, shed: 0 });
    for (let i = 0; i < 5; i++) slots.leave(noisy.account);
    expect(polite.account).toMatchObject({ inflight: 5, queue: [] });
    expect(noisy.account.inflight).toBe(5);
  });

  it('is the one that makes room in a full queue', async () => {
    const slots = slotsOf();
    const noisy = ask(slots, 'noisy', 200);
    expect(slots.queued).toBe(20);
    const polite = ask(slots, 'polite', 5);
    expect(polite).toMatchObject({ shed: 0 });
    await Promise.resolve();
    expect(noisy.verdicts).toEqual(Array(5).fill('gateway_full'));
    expect(slots).toMatchObject({ inflight: 10, queued: 20 });
  });

  it('makes room also where only one may wait', () => {
    const slots = slotsOf({ maxQueued: 1 });
    ask(slots, 'noisy', 200);
    const polite = ask(slots, 'polite', 1);
    expect(polite).toMatchObject({ shed: 0 });
    expect(polite.waiters).toHaveLength(1);
  });

  /** Time in steps of a service time of 20: the noisy tenant asks for 20 times its share, the polite one stays below it. */
  it.each([2, 4, 8])('costs none of the others a request, with a share of a %ith', (tenants) => {
    const limit = 80;
    const slots = slotsOf({ limit, maxQueued: 40 });
    const share = limit / tenants;
    const endings: Array<Array<Account>> = [];
    const granted: Array<[Account, Waiter]> = [];
    const counts = { shed: 0, waited: 0, forwarded: 0 };
    const politeOnes = Array.from({ length: tenants - 1 }, (_, i) => `polite-${i}`);
    for (let step = 0; step < 2000; step++) {
      now = step;
      for (const account of endings[step] ?? []) slots.leave(account);
      for (const [account, waiter] of granted.splice(0)) {
        if (waiter.granted) (endings[step + 20] ??= []).push(account);
        else granted.push([account, waiter]);
      }
      const enter = (id: string, count: number): void => {
        const account = slots.account(id, now);
        for (let i = 0; i < count; i++) {
          const entry = slots.enter(account);
          if (entry === true) (endings[step + 20] ??= []).push(account);
          else if (entry instanceof Waiter) granted.push([account, entry]);
          if (id === 'noisy') continue;
          if (entry === true) counts.forwarded += 1;
          else if (typeof entry === 'string') counts.shed += 1;
          // At first nobody knew of them, and the noisy one had everything.
          else if (step > SETTLED) counts.waited += 1;
        }
      };
      enter('noisy', share);
      // One every other step, with 20 steps each: 10 under way, or a tenth of that where the share is as small as that.
      for (const id of politeOnes) if (step % Math.ceil(20 / (share * 0.8)) === 0) enter(id, 1);
    }
    for (const [, waiter] of granted) slots.cancel(waiter);
    expect(counts.forwarded).toBeGreaterThan(100);
    expect(counts).toMatchObject({ shed: 0, waited: 0 });
  });
});

describe('a waiter', () => {
  it('is told when its time is over, and leaves nothing behind', async () => {
    const slots = slotsOf({ limit: 1, queueMs: 1 });
    const { waiters } = ask(slots, 'a', 2);
    expect(await waiters[0]?.promise).toBe('queue_timeout');
    expect(slots).toMatchObject({ inflight: 1, queued: 0 });
  });

  it('that goes takes nothing, and the next one is served', () => {
    const slots = slotsOf({ limit: 1 });
    const { account, waiters } = ask(slots, 'a', 3);
    slots.cancel(waiters[0] as Waiter);
    slots.leave(account);
    expect(waiters.map(({ granted }) => granted)).toEqual([false, true]);
    expect(slots).toMatchObject({ inflight: 1, queued: 0 });
  });

  it('is served when the limit rises', () => {
    const slots = slotsOf({ limit: 1 });
    ask(slots, 'a', 3);
    slots.limit = 3;
    expect(slots).toMatchObject({ inflight: 3, queued: 0 });
  });
});

describe('accounts', () => {
  it('are forgotten a minute after the last request', () => {
    const slots = slotsOf();
    for (let i = 0; i < 1000; i++) slots.leave(one(slots, `tenant-${i}`));
    expect(slots.known).toBe(1000);
    now = 100_000;
    one(slots, 'a');
    expect(slots.known).toBe(1);
  });
});

function one(slots: FairSlots, tenant: string): Account {
  const { account, entered } = ask(slots, tenant);
  expect(entered).toBe(1);
  return account;
}
