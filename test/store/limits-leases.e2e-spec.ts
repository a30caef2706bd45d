import type { Bucket, LeaseRequest, Limits, Store } from '#libs/store';
import { RateLimiter } from '../../libs/guards/src/rate-limiter';
import { waitFor } from '../support/children';
import { mostBeyond, peekOne, reachEverywhere, takeOne, type Admission } from '../support/limits';
import { describeStores, type OpenedStore } from './stores';

const DAY_MS = 86_400_000;

let sequence = 0;
function bucketOf(capacity: number, windowMs = DAY_MS): Bucket {
  return { key: `rl:{t${++sequence}}:${windowMs}`, capacity, windowMs };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describeStores(
  'leases',
  (stage, variant) => {
    let store: OpenedStore;
    beforeAll(async () => {
      store = await stage.open();
      await reachEverywhere(store);
    });

    const lease = async (bucket: Bucket, wanted: number, report: Partial<LeaseRequest> = {}) => {
      const none = { generation: 0, used: 0, returned: 0, held: 0 };
      const [grant] = await store.limits.lease([{ ...none, ...report, bucket, wanted }]);
      if (!grant || grant instanceof Error) throw grant ?? new Error('no grant');
      return grant;
    };
    const left = async (bucket: Bucket): Promise<number> => (await peekOne(store, bucket)).remaining;

    it('and requests together get what there is', async () => {
      const bucket = bucketOf(100);
      const grants = await Promise.all([lease(bucket, 30), lease(bucket, 30), lease(bucket, 5)]);
      expect(grants.map(({ granted }) => granted)).toEqual([30, 30, 5]);
      const claim = [bucket];
      const verdicts = await Promise.all(Array.from({ length: 90 }, async () => store.limits.take(claim)));
      expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(35);
      const { granted, remaining, retryAfterMs } = await lease(bucket, 10);
      expect([granted, remaining]).toEqual([0, 0]);
      expect(retryAfterMs).toBeGreaterThan(DAY_MS / 100 - 10_000);
      expect(retryAfterMs).toBeLessThanOrEqual(DAY_MS / 100);
    });

    it('come back as far as they were not used', async () => {
      const bucket = bucketOf(100);
      const { generation } = await lease(bucket, 40);
      expect(await left(bucket)).toBe(60);
      expect(await lease(bucket, 0, { generation, used: 10, returned: 5, held: 25 })).toMatchObject({ kept: true });
      expect(await left(bucket)).toBe(65);
      expect(await lease(bucket, 0, { generation, used: 5, returned: 20 })).toMatchObject({ kept: true });
      expect(await left(bucket)).toBe(85);
      // What nobody has lent is not taken back.
      expect(await lease(bucket, 0, { generation: generation - 17, returned: 10 })).toMatchObject({ kept: false });
      expect(await left(bucket)).toBe(85);
    }); // prettier-ignore

    it('are given for hundreds of buckets at a time, to each its own', async () => {
      const buckets = Array.from({ length: 200 }, (_, i) => bucketOf(1 + i));
      const broken = 77;
      if (variant !== 'embedded') await stage.premises.foreign.set(buckets[broken]?.key ?? '', 'a string');
      const none = { generation: 0, used: 0, returned: 0, held: 0 };
      const grants = await store.limits.lease(buckets.map((bucket) => ({ ...none, bucket, wanted: 50 })));
      grants.forEach((grant, i) => {
        if (i === broken && variant !== 'embedded')
          expect(grant).toMatchObject({ message: expect.stringMatching(/^WRONGTYPE/) });
        else
          expect(grant).toMatchObject({ granted: Math.min(1 + i, 50), remaining: Math.max(0, i - 49) });
      });
    }); // prettier-ignore
  },
  ['embedded', 'standalone', 'cluster'],
);

/** Processes that lease tokens from the same Redis, each over a connection of its own. */
describeStores(
  'rate limiting with leases',
  (stage) => {
    interface Process {
      readonly store: Store;
      readonly limiter: RateLimiter;
      /** Calls that decided something in the store. */
      calls(): number;
    }
    async function startProcess(): Promise<Process> {
      const store = await stage.open();
      await store.fleet.join();
      let calls = 0;
      const { limits } = store;
      const counted: Limits = {
        take: (claim) => ((calls += 1), limits.take(claim)),
        peek: (claim) => limits.peek(claim),
        charge: (charges) => limits.charge(charges),
        forget: (keys) => limits.forget(keys),
        lease: (requests) => ((calls += 1), limits.lease(requests)),
      };
      Object.assign(store, { limits: counted });
      return { store, limiter: new RateLimiter(store, 'leased'), calls: () => calls };
    }
    let processes: Process[];
    beforeAll(async () => {
      processes = [];
      for (let i = 0; i < 4; i++) processes.push(await startProcess());
    });
    const first = (): Process => processes[0] as Process;
    const second = (): Process => processes[1] as Process;
    const left = async (bucket: Bucket): Promise<number> => (await peekOne(first().store, bucket)).remaining;
    const takeMany = async ({ limiter }: Process, bucket: Bucket, count: number): Promise<number> => {
      // Every process has read its own configuration.
      const claim = [{ ...bucket }];
      let admitted = 0;
      for (let i = 0; i < count; i++) if ((await limiter.take(claim)).allowed) admitted += 1;
      return admitted;
    };

    it('admits the limit and not one request more in any window, with 1, 2 and 4 processes under overload', async () => {
      const overload = async (chosen: Process[]): Promise<void> => {
        const bucket = bucketOf(1000, 2000);
        const admissions: Admission[] = [];
        const refusals: number[] = [];
        const startedAt = performance.now();
        const client = async ({ limiter }: Process): Promise<void> => {
          const claim = [{ ...bucket }];
          for (let over = false; !over;) {
            const from = performance.now();
            const { allowed } = await limiter.take(claim);
            const to = performance.now();
            if (allowed) admissions.push({ from, to });
            else refusals.push(to);
            // Till nothing is left, so that nothing is missing that could have been admitted.
            over = !allowed && from > startedAt + 2500;
            await nextTurn();
          }
        };
        await Promise.all(chosen.flatMap((one) => Array.from({ length: 5 }, () => client(one))));
        expect(mostBeyond(bucket, admissions)).toBeLessThanOrEqual(0);
        // From when it was dry first, until it was dry last: all that has refilled meanwhile.
        const [first = NaN, last = NaN] = [refusals[0], refusals.at(-1)];
        const admitted = admissions.filter(({ to }) => to > first && to <= last).length;
        // How near it comes to all of that depends on the machine: bench/accuracy.mjs demands 99 % of it.
        expect(admitted).toBeGreaterThanOrEqual(0.5 * 0.5 * (last - first));
        expect(last - first).toBeGreaterThan(1000);
      };
      await Promise.all([1, 2, 4].map((count) => overload(processes.slice(0, count))));
    });

    it('asks the store for a small part of the requests', async () => {
      const bucket = bucketOf(1_000_000);
      const claim = [bucket];
      const busy = first();
      const [before, startedAt] = [busy.calls(), performance.now()];
      let requests = 0;
      // Ten every few milliseconds, as they come in.
      await waitFor(
        'two thousand requests',
        async () => {
          const verdicts = await Promise.all(
            Array.from({ length: 10 }, async () => busy.limiter.take(claim)),
          );
          expect(verdicts.every(({ allowed }) => allowed)).toBe(true);
          return (requests += 10) >= 2000;
        },
        15_000,
        3,
      );
      const calls = busy.calls() - before;
      // So many in a second, however many requests that are; or of the requests, where they come fast.
      const seconds = (performance.now() - startedAt) / 1000;
      expect(calls).toBeLessThanOrEqual(Math.max(requests / 20, 5 + 15 * seconds));
      expect(calls).toBeGreaterThan(0);
    }, 20_000);

    it('gives unused tokens back, and another process can have all of them', async () => {
      const bucket = bucketOf(100);
      expect(await takeMany(first(), bucket, 20)).toBe(20);
      expect(await left(bucket)).toBeLessThan(80);
      let taken = 0;
      await waitFor('the rest', async () => (taken += await takeMany(second(), bucket, 30)) >= 80);
      expect(taken).toBe(80);
      expect(await takeMany(second(), bucket, 5)).toBe(0);
    });

    it('gives everything back at the end of a process', async () => {
      const bucket = bucketOf(100);
      const ending = await startProcess();
      expect(await takeMany(ending, bucket, 20)).toBe(20);
      await ending.limiter.close();
      expect(await left(bucket)).toBe(80);
    });

    it('loses what a killed process held, and not for long: also while others go on', async () => {
      const bucket = bucketOf(40, 2000);
      const killed = await startProcess();
      const request = { bucket, wanted: 15, generation: 0, used: 0, returned: 0, held: 0 };
      expect(await killed.store.limits.lease([request])).toMatchObject([{ granted: 15 }]);
      await killed.store.close();
      // Half of what refills, so the bucket is full but for what has been lost.
      await waitFor(
        'a full bucket',
        async () => {
          expect(await takeMany(second(), bucket, 1)).toBe(1);
          return (await left(bucket)) + 2 >= bucket.capacity;
        },
        8000,
        100,
      );
    });

    it('takes nothing of one limit where another one refuses', async () => {
      const [tenant, key] = [bucketOf(100), bucketOf(5)];
      const claim = [tenant, key];
      let admitted = 0;
      for (let i = 0; i < 50; i++) if ((await first().limiter.take(claim)).allowed) admitted += 1;
      expect(admitted).toBe(5);
      await waitFor('what was taken ahead', async () => (await left(tenant)) === 95);
      expect(await left(key)).toBe(0);
    });

    it('does not let a limit that is broken drain the others', async () => {
      const [tenant, broken] = [bucketOf(100), bucketOf(100)];
      await stage.premises.foreign.set(broken.key, 'a string');
      const claim = [tenant, broken];
      // Decided by shares, which are charged.
      for (let i = 0; i < 10; i++) expect((await first().limiter.take(claim)).allowed).toBe(true);
      await waitFor('what was taken ahead', async () => (await left(tenant)) === 90);
    });

    it('mixes with requests that are not leased, and with budgets', async () => {
      const tenant = bucketOf(300);
      const budget = { key: `${tenant.key}:quota`, capacity: 50, windowMs: 0, cost: 1, endsAt: 0 } as const;
      const [plain, quota] = [[{ ...tenant }], [{ ...tenant }, budget]];
      const verdicts = await Promise.all(
        Array.from({ length: 100 }, async (_, i) => {
          const leased = await first().limiter.take(i % 2 ? plain : quota);
          const direct = await takeOne(second().store, tenant);
          return [leased.allowed, direct.allowed];
        }),
      );
      // Nothing is short: 50 by the budget, 50 from leases, 100 directly.
      expect(verdicts.flat().filter(Boolean)).toHaveLength(200);
      await waitFor('what was taken ahead', async () => (await left(tenant)) === 100);
      expect(await peekOne(first().store, budget)).toMatchObject({ allowed: false, remaining: 0 });
    });
  },
  ['standalone'],
);
