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
const take = async (claim: readonly Bucket[], of = leases): Promise<ClaimVerdict> => of.take(claim);
const takeAtOnce = (claim: readonly Bucket[], count: number): Promise<ClaimVerdict[]> =>
  Promise.all(Array.from({ length: count }, () => take(claim)));
const takeMany = async (claim: readonly Bucket[], count: number, of = leases): Promise<number> => {
  let admitted = 0;
  for (let i = 0; i < count; i++) if ((await take(claim, of)).allowed) admitted += 1;
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
    const claim = [bucketOf('a', 1000)];
    const verdicts = await takeAtOnce(claim, 500);
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
    const release = store.holdAnswers();
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
    const release = store.holdAnswers();
    const verdict = take(claim);
    await pass(LEASE_TTL_MS);
    await release();
    expect(await verdict).toMatchObject({ allowed: true });
    // The token of the first one is void: another one was used.
    expect(store.leased).toHaveLength(2);
  });

  it('that ends in an error fails those who wait for it, and nobody else', async () => {
    const claim = [bucketOf('a')];
    store.failure = new StoreUnavailableError();
    for (const outcome of await Promise.allSettled([take(claim), take(claim)])) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailableError) });
    }
    store.failure = undefined;
    expect(await leases.take(claim)).toMatchObject({ allowed: true });
  });

  it('is asked for once by all who need it at the time', async () => {
    const [a, b] = [bucketOf('a'), bucketOf('b')];
    const release = store.holdAnswers();
    const verdicts = [take([a]), take([a, b]), take([b]), take([a])];
    expect(store.leased.map((requests) => requests.map(({ bucket }) => bucket.key))).toEqual([['a'], ['b']]);
    await release();
    for (const verdict of await Promise.all(verdicts)) expect(verdict.allowed).toBe(true);
  });

  it.each([[['fine', 'broken']], [['broken', 'fine']]])(
    'of one bucket is kept although another one is broken: %s',
    async (names) => {
      const limits = store.limits;
      store.limits = {
        ...limits,
        lease: async (requests) => {
          const grants = await limits.lease(requests);
          return grants.map((one, i) =>
            requests[i]?.bucket.key === 'broken' ? new Error('WRONGTYPE') : one,
          );
        },
      };
      const claim = names.map((name) => bucketOf(name));
      for (let i = 0; i < 10; i++) await expect(leases.take(claim)).rejects.toThrow('WRONGTYPE');
      expect(store.left(bucketOf('fine'))).toBe(99);
      await pass(1000);
      expect(store.left(bucketOf('fine'))).toBe(100);
    },
  );

  it('accounts for every token at every call', async () => {
    const bucket = bucketOf('a', 10_000);
    let outstanding = 0;
    let most = 0;
    const limits = store.limits;
    store.limits = {
      ...limits,
      lease: async (requests) => {
        const [{ used, returned, held } = { used: NaN, returned: NaN, held: NaN }] = requests;
        expect(used + returned + held).toBe(outstanding);
        most = Math.max(most, held);
        const [grant] = await limits.lease(requests);
        outstanding = held + (grant as LeaseGrant).granted;
        return [grant as LeaseGrant];
      },
    };
    // Renewals, pauses in which everything comes back, and a burst.
    for (let i = 0; i < 5; i++) {
      await keepTaking([bucket], 2, 400);
      await pass(700);
    }
    await takeAtOnce([bucket], 100);
    await pass(1000);
    expect([outstanding, store.left(bucket)]).toEqual([0, 10_000 - 2100]);
    expect(most).toBeGreaterThan(5);
  });

  it('that the store has forgotten is void with the next call', async () => {
    const bucket = bucketOf('a', 400);
    await keepTaking([bucket], 1, 100);
    store.memory = new EmbeddedLimits(Date.now);
    const before = store.leased.length;
    const release = store.holdAnswers();
    takeUntilAsked(bucket);
    const held = store.leased.at(-1)?.[0]?.held ?? 0;
    // Until it knows better.
    for (let i = 0; i < held; i++) expect(leases.take([bucket])).toMatchObject({ allowed: true });
    expect(held).toBeGreaterThan(1);
    await release();
    let admitted = 0;
    while ((await take([bucket])).allowed) admitted += 1;
    expect(admitted).toBe(400);
    // What was used of it is not reported as used of another.
    const reported = store.leased.slice(before).flatMap(([request]) => request?.used ?? 0).slice(1);
    expect(reported.reduce((sum, used) => sum + used, 0)).toBeLessThanOrEqual(400);
  }); // prettier-ignore

  it('is not given back while it is being renewed, however long that takes', async () => {
    const bucket = bucketOf('a', 400);
    await keepTaking([bucket], 1, 100);
    const release = store.holdAnswers();
    const used = takeUntilAsked(bucket);
    const calls = store.leased.length;
    await pass(900);
    expect(store.leased).toHaveLength(calls);
    await release();
    await pass(1000);
    expect(store.left(bucket)).toBe(300 - used);
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
    expect(store.left(tenant)).toBe(100);
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
    const bucket = bucketOf('a');
    expect(await take([bucket])).toMatchObject({ allowed: true, verdicts: [{ remaining: 99 }] });
    expect(locals.of(bucket).remaining).toBe(99);
    expect([store.leased.length, store.takes]).toEqual([5, 1]);
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
  const before = store.left(bucket);
  expect(await takeMany([bucket], 1)).toBe(1);
  expect(before - store.left(bucket)).toBeGreaterThanOrEqual(1);
  let admitted = 61;
  for (let i = 0; i < 100; i++) admitted += (await takeMany([bucket], 1)) + (await takeMany([{ ...bucket }], 1, other));
  expect(admitted).toBe(100);
}); // prettier-ignore
