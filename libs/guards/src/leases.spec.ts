import {
  LEASE_TTL_MS,
  StoreUnavailableError,
  type Bucket,
  type ClaimVerdict,
  type LeaseGrant,
} from '#libs/store';
import { LimitStore } from '../../../test/support/limit-store';
import { EmbeddedLimits } from '../../store/src/embedded/embedded-limits';
import { Leases } from './leases';
import { LocalLimits } from './local-limits';

const DAY = 86_400_000;
const bucketOf = (key: string, capacity = 100, windowMs = DAY): Bucket => ({ key, capacity, windowMs });

let store: LimitStore;
let locals: LocalLimits;
let leases: Leases;
beforeEach(() => {
  jest.useFakeTimers({ now: 1_800_000_000_000 });
  store = new LimitStore();
  locals = new LocalLimits(Date.now);
  leases = new Leases(store.asStore(), locals);
});
afterEach(() => void jest.useRealTimers());

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const takeMany = async (claim: readonly Bucket[], count: number, of = leases): Promise<number> => {
  let admitted = 0;
  for (let i = 0; i < count; i++) if ((await of.take(claim)).allowed) admitted += 1;
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
const left = (bucket: Bucket): number => store.memory.peek([bucket]).verdicts[0]?.remaining ?? NaN;
const active = (): number => (leases as unknown as { active: Set<unknown> }).active.size;
/** Holds back the answers of the store until they are let go. */
function holdAnswers(): () => Promise<void> {
  let release = (): void => undefined;
  store.delay = new Promise((resolve) => (release = resolve));
  return async () => {
    release();
    await pass(0);
  };
}

describe('the size of a lease', () => {
  it('is one token for the first request, which knows nothing, and for one that comes alone', async () => {
    const claim = [bucketOf('a')];
    await takeMany(claim, 1);
    expect(store.wanted()).toEqual([1]);
    await pass(5000);
    await takeMany(claim, 1);
    expect(store.wanted()).toEqual([1]);
    // And nothing is taken ahead of another one.
    expect(store.leased.filter((requests) => requests.some(({ wanted }) => wanted > 0))).toHaveLength(2);
  });

  it('is what the demand of the moment makes of a tenth of a second', async () => {
    const claim = [bucketOf('a', 1_000_000)];
    await keepTaking(claim, 2, 1000);
    expect(store.wanted()).toEqual([expect.any(Number)]);
    expect(store.wanted()[0]).toBeGreaterThanOrEqual(45);
    expect(store.wanted()[0]).toBeLessThanOrEqual(55);
    const before = store.leased.length;
    await keepTaking(claim, 2, 1000);
    // Two seconds: ten calls in each, and some more because it does not wait until the last token is gone.
    expect(store.leased.length - before).toBeLessThanOrEqual(30);
    expect(store.takes).toBe(0);
  });

  it('counts those who wait, and is not blown up by requests that come all at once', async () => {
    const claim = [bucketOf('a', 1_000_000)];
    await takeMany(claim, 1);
    await pass(5000);
    const verdicts = await Promise.all(Array.from({ length: 500 }, async () => leases.take(claim)));
    expect(verdicts.every(({ allowed }) => allowed)).toBe(true);
    expect(store.takes).toBe(0);
    const most = Math.max(...store.leased.flat().map(({ wanted }) => wanted));
    expect(most).toBeGreaterThanOrEqual(490);
    expect(most).toBeLessThanOrEqual(5000);
    expect(store.leased.length).toBeLessThan(10);
  });

  it('is enough for a burst, in a few calls and none for a single request', async () => {
    const claim = [bucketOf('a', 2000)];
    const verdicts = await Promise.all(Array.from({ length: 500 }, () => leases.take(claim)));
    expect(verdicts.every(({ allowed }) => allowed)).toBe(true);
    expect(store.takes).toBe(0);
    expect(store.leased.length).toBeLessThanOrEqual(5);
  });

  it('leaves the others three quarters of their parts of what is there', async () => {
    store.fleet.size = 5;
    const claim = [bucketOf('a', 1000)];
    await Promise.all(Array.from({ length: 300 }, async () => leases.take(claim)));
    for (const [{ wanted } = { wanted: NaN }] of store.leased) expect(wanted).toBeLessThanOrEqual(1000 / 20);
    expect(Math.max(...store.leased.flat().map(({ wanted }) => wanted))).toBe(49);
  });
});

describe('a lease', () => {
  it('is renewed before it runs out, so that nobody waits', async () => {
    const claim = [bucketOf('a', 1_000_000)];
    await keepTaking(claim, 1, 500);
    const release = holdAnswers();
    let waited = 0;
    const before = store.leased.length;
    // As many as a lease of this demand has left when it is renewed.
    for (let i = 0; i < 300 && store.leased.length === before; i++) {
      if (leases.take(claim) instanceof Promise) waited += 1;
      await pass(1);
    }
    for (let i = 0; i < 15; i++) if (leases.take(claim) instanceof Promise) waited += 1;
    expect([waited, store.leased.length - before]).toEqual([0, 1]);
    await release();
  });

  it('is not used after its time, be it that the store does not answer', async () => {
    const claim = [bucketOf('a', 1_000_000)];
    await keepTaking(claim, 1, 500);
    store.state = 'away';
    store.failure = new StoreUnavailableError();
    expect(leases.take(claim)).toMatchObject({ allowed: true });
    await pass(LEASE_TTL_MS);
    await expect(leases.take(claim)).rejects.toThrow(StoreUnavailableError);
  });

  it('whose answer comes too late is no lease', async () => {
    const claim = [bucketOf('a')];
    const release = holdAnswers();
    const verdict = leases.take(claim);
    await pass(LEASE_TTL_MS);
    store.delay = Promise.resolve();
    await release();
    expect(await verdict).toMatchObject({ allowed: true });
    // The token of the first one is void: another one was used.
    expect(store.leased).toHaveLength(2);
  });

  it('that ends in an error fails those who wait for it, and nobody else', async () => {
    const claim = [bucketOf('a')];
    store.failure = new StoreUnavailableError();
    for (const outcome of await Promise.allSettled([leases.take(claim), leases.take(claim)])) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailableError) });
    }
    store.failure = undefined;
    expect(await leases.take(claim)).toMatchObject({ allowed: true });
  });

  it('is asked for once by all who need it at the time', async () => {
    const [a, b] = [bucketOf('a'), bucketOf('b')];
    const release = holdAnswers();
    const verdicts = [leases.take([a]), leases.take([a, b]), leases.take([b]), leases.take([a])];
    expect(store.leased.map((requests) => requests.map(({ bucket }) => bucket.key))).toEqual([['a'], ['b']]);
    await release();
    for (const verdict of verdicts) expect(verdict.allowed).toBe(true);
  });

  it.each([[['fine', 'broken']], [['broken', 'fine']]])(
    'of one bucket is kept although another one is broken: %s',
    async (names) => {
      const { lease } = store.limits;
      store.limits.lease = async (requests) => {
        const grants = await lease(requests);
        return grants.map((one, i) => (requests[i]?.bucket.key === 'broken' ? new Error('WRONGTYPE') : one));
      };
      const claim = names.map((name) => bucketOf(name));
      for (let i = 0; i < 10; i++) await expect(leases.take(claim)).rejects.toThrow('WRONGTYPE');
      expect(left(bucketOf('fine'))).toBe(99);
      await pass(1000);
      expect(left(bucketOf('fine'))).toBe(100);
    },
  );

  it('accounts for every token at every call', async () => {
    const bucket = bucketOf('a', 10_000);
    let outstanding = 0;
    let most = 0;
    const { lease } = store.limits;
    store.limits.lease = async (requests) => {
      const [{ used, returned, held } = { used: NaN, returned: NaN, held: NaN }] = requests;
      expect(used + returned + held).toBe(outstanding);
      most = Math.max(most, held);
      const [grant] = await lease(requests);
      outstanding = held + (grant as LeaseGrant).granted;
      return [grant as LeaseGrant];
    };
    // Renewals, pauses in which everything comes back, and a burst.
    for (let i = 0; i < 5; i++) {
      await keepTaking([bucket], 2, 400);
      await pass(700);
    }
    await Promise.all(Array.from({ length: 100 }, () => leases.take([bucket])));
    await pass(1000);
    expect([outstanding, left(bucket)]).toEqual([0, 10_000 - 2100]);
    expect(most).toBeGreaterThan(5);
  });

  it('that the store has forgotten is void with the next call', async () => {
    const bucket = bucketOf('a', 400);
    await keepTaking([bucket], 1, 100);
    store.memory = new EmbeddedLimits(Date.now);
    const before = store.leased.length;
    const release = holdAnswers();
    while (store.leased.length === before) leases.take([bucket]);
    const held = store.leased.at(-1)?.[0]?.held ?? 0;
    // Until it knows better.
    for (let i = 0; i < held; i++) expect(leases.take([bucket])).toMatchObject({ allowed: true });
    expect(held).toBeGreaterThan(1);
    await release();
    let admitted = 0;
    while ((await leases.take([bucket])).allowed) admitted += 1;
    expect(admitted).toBe(400);
    // What was used of it is not reported as used of another.
    const reported = store.leased.slice(before).flatMap(([request]) => request?.used ?? 0).slice(1);
    expect(reported.reduce((sum, used) => sum + used, 0)).toBeLessThanOrEqual(400);
  }); // prettier-ignore

  it('is not given back while it is being renewed, however long that takes', async () => {
    const bucket = bucketOf('a', 400);
    await keepTaking([bucket], 1, 100);
    const before = store.leased.length;
    const release = holdAnswers();
    while (store.leased.length === before) leases.take([bucket]);
    await pass(900);
    expect(store.leased).toHaveLength(before + 1);
    await release();
    await pass(1000);
    expect(left(bucket)).toBe(300 - (store.leased.at(before)?.[0]?.used ?? NaN));
  });
});

describe('a bucket that is dry', () => {
  const dry = async (bucket: Bucket): Promise<void> => {
    store.memory.charge([[bucket, bucket.capacity]]);
    expect(await takeMany([bucket], 1)).toBe(0);
  };

  it('refuses without asking, and says when the next token is due', async () => {
    const bucket = bucketOf('a', 100, 50_000);
    await dry(bucket);
    const asked = store.leased.length;
    await pass(60);
    const verdict = leases.take([bucket]);
    expect(verdict).toEqual({ allowed: false, verdicts: [{ allowed: false, remaining: 0, retryAfterMs: 440 }] });
    expect(store.leased).toHaveLength(asked);
  }); // prettier-ignore

  it('is asked again ten times a second at most, however much is wanted', async () => {
    const bucket = bucketOf('a');
    await dry(bucket);
    const asked = store.leased.length;
    expect(await keepTaking([bucket], 1, 1000)).toBe(0);
    expect(store.leased.length - asked).toBeLessThanOrEqual(11);
  });

  it('has what others give back, and a limit that was raised, long before it has refilled', async () => {
    const bucket = bucketOf('a');
    await dry(bucket);
    store.memory.charge([[bucket, -1]]);
    await pass(100);
    expect(await takeMany([bucket], 3)).toBe(1);
    await pass(100);
    expect(await takeMany([bucket], 1)).toBe(0);
    store.memory.charge([[bucketOf('a', 1000), -5]]);
    await pass(100);
    expect(await takeMany([bucketOf('a', 1000)], 9)).toBe(5);
  });

  it('keeps nothing of the others that a claim needs', async () => {
    const [tenant, key] = [bucketOf('tenant'), bucketOf('key', 3)];
    await dry(key);
    await pass(100);
    for (let i = 0; i < 20; i++) {
      const { allowed, verdicts } = await leases.take([tenant, key]);
      expect([allowed, ...verdicts.map((verdict) => verdict.allowed)]).toEqual([false, true, false]);
      expect(verdicts[0]).toMatchObject({ remaining: 100, retryAfterMs: 0 });
      expect(verdicts[1]?.retryAfterMs).toBeGreaterThan(0);
      await pass(10);
    }
    await pass(1500);
    expect(left(tenant)).toBe(100);
  });

  it('that was never asked for is not said to be empty', async () => {
    const [fresh, key] = [bucketOf('fresh'), bucketOf('key', 3)];
    await dry(key);
    expect(leases.take([fresh, key])).toMatchObject({ allowed: false, verdicts: [{ remaining: 100 }, {}] });
  });

  it('is decided by the store when others are faster again and again', async () => {
    store.limits.lease = (requests) => {
      store.leased.push(requests);
      const none = { granted: 0, kept: true, remaining: 1, retryAfterMs: 0, generation: 1 };
      return requests.map(() => none);
    };
    expect(await leases.take([bucketOf('a')])).toMatchObject({
      allowed: true,
      verdicts: [{ remaining: 99 }],
    });
    expect([store.leased.length, store.takes]).toEqual([5, 1]);
  });
});

describe('what nobody wants any more', () => {
  it('is given back within half a second, what was used is reported, and nothing is kept of it', async () => {
    const claim = [bucketOf('a', 1000)];
    expect(await keepTaking(claim, 1, 200)).toBe(200);
    expect(left(bucketOf('a', 1000))).toBeLessThan(800);
    await pass(500);
    expect(left(bucketOf('a', 1000))).toBe(800);
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
    expect(left(bucket)).toBe(10);
  });

  it('comes back in one call for all buckets', async () => {
    const buckets = Array.from({ length: 20 }, (_, i) => bucketOf(`b${i}`, 1000));
    for (let i = 0; i < 5; i++) for (const bucket of buckets) await takeMany([bucket], 10);
    const calls = store.leased.length;
    await pass(500);
    expect(store.leased).toHaveLength(calls + 1);
    expect(buckets.map(left)).toEqual(buckets.map(() => 950));
  });

  it('comes back in the second half of its life also from a bucket that is in use', async () => {
    const claim = [bucketOf('a', 1_000_000)];
    await keepTaking(claim, 1, 300);
    // Some hundred tokens on lease, of which a few are used now and then.
    expect(await keepTaking(claim, 240, 4)).toBe(4);
    expect(1_000_000 - 304 - left(bucketOf('a', 1_000_000))).toBeLessThanOrEqual(5);
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
    expect(left(bucketOf('a', 1000))).toBeGreaterThan(700);
    expect(await takeMany(claim, 10)).toBe(10);
  });

  it('comes back at the end, all of it, after the call under way', async () => {
    const [a, b] = [bucketOf('a', 1000), bucketOf('b', 1000)];
    for (const bucket of [a, b]) await keepTaking([bucket], 1, 100);
    const release = holdAnswers();
    const before = store.leased.length;
    let used = 100;
    for (; store.leased.length === before; used++) leases.take([a]);
    const closed = leases.close();
    await release();
    await closed;
    expect([left(a), left(b)]).toEqual([1000 - used, 900]);
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

it('what is reported after its time neither comes back nor makes room for more than there is', async () => {
  const bucket = bucketOf('a', 100, 10_000);
  const other = new Leases(store.asStore(), new LocalLimits(Date.now));
  await takeMany([bucket], 10);
  store.state = 'away';
  await pass(20_000);
  store.state = 'ready';
  // By now everything is forgotten, and somebody else has leased.
  expect(await takeMany([{ ...bucket }], 60, other)).toBe(60);
  const before = left(bucket);
  expect(await takeMany([bucket], 1)).toBe(1);
  expect(before - left(bucket)).toBeGreaterThanOrEqual(1);
  let admitted = 61;
  for (let i = 0; i < 100; i++) admitted += (await takeMany([bucket], 1)) + (await takeMany([{ ...bucket }], 1, other));
  expect(admitted).toBe(100);
}); // prettier-ignore
