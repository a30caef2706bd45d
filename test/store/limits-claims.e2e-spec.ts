import { keys, type Bucket, type Budget, type Claim, type ClaimVerdict, type Limit } from '#libs/store';
import { lot, peekOne, reachEverywhere } from '../support/limits';
import { describeStores, type OpenedStore } from './stores';

const DAY_MS = 86_400_000;

describeStores(
  'claims',
  (stage, variant) => {
    /** Processes that share the limits; the embedded store has one. */
    let clients: OpenedStore[];
    let store: OpenedStore;
    let sequence = 0;
    beforeEach(() => void (sequence += 1));

    const bucket = (name: string, capacity: number, windowMs = DAY_MS): Bucket => ({
      // As the limits of one tenant are called: the oldest of these names says nothing to a cluster.
      key:
        name === 'tenant'
          ? keys.rateLimit(`t${sequence}`, windowMs / 1000)
          : keys.rateLimitOfKey(`t${sequence}`, name, windowMs / 1000),
      capacity,
      windowMs,
    });
    const budget = (name: string, capacity: number, cost = 1, endsAt = 0): Budget => ({
      key: keys.quota(`t${sequence}`, name, '2026-11'),
      capacity,
      windowMs: 0,
      cost,
      endsAt,
    });
    const remaining = (limits: Limit[]): Promise<number[]> =>
      Promise.all(limits.map(async (limit) => (await peekOne(store, limit)).remaining));
    /** Requests that come at once, dealt out to all processes. */
    const takeAll = (claims: Claim[]): Promise<ClaimVerdict[]> =>
      Promise.all(claims.map(async (claim, i) => (clients[i % clients.length] ?? store).limits.take(claim)));
    const admitted = (verdicts: ClaimVerdict[]): number => verdicts.filter(({ allowed }) => allowed).length;

    beforeAll(async () => {
      const count = variant === 'embedded' ? 1 : 3;
      clients = await Promise.all(Array.from({ length: count }, () => stage.open()));
      store = clients[0] as OpenedStore;
      await Promise.all(clients.map(reachEverywhere));
    });

    it('are whole again once they are forgotten, and others of the tenant are not', async () => {
      const [cap, quota, kept] = [budget('cap', 10), budget('quota', 10), budget('kept', 10)];
      await store.limits.take([cap, quota, kept]);
      expect(await remaining([cap, quota, kept])).toEqual([9, 9, 9]);
      await store.limits.forget([]);
      await store.limits.forget([cap.key, quota.key, budget('never taken', 1).key]);
      expect(await remaining([cap, quota, kept])).toEqual([10, 10, 9]);
    });

    it.each<[claims: string, shared: boolean]>([
      ['one claim', true],
      ['as many claims', false],
    ])('are taken from all limits or from none: 500 requests at once, of %s', async (_claims, shared) => {
      const limits = [bucket('tenant', 1000), bucket('key', 100), budget('quota', 37)];
      const verdicts = await takeAll(Array.from({ length: 500 }, () => (shared ? limits : [...limits])));
      expect(admitted(verdicts)).toBe(37);
      expect(await remaining(limits)).toEqual([963, 63, 0]);
      const refused = verdicts.filter(({ allowed }) => !allowed);
      for (const { verdicts: each } of refused) {
        expect(each.map(({ allowed }) => allowed)).toEqual([true, true, false]);
      }
      // Each of those admitted was told what was left after it, and no two of them the same.
      const left = verdicts.filter(({ allowed }) => allowed).map(({ verdicts: [, , quota] }) => quota?.remaining);
      expect(new Set(left).size).toBe(37);
    }); // prettier-ignore

    it.each<[title: string, capacity: number, expected: (admittedOf: number[]) => void]>([
      ['the tenant has too little', 100, (each) => expect(sum(each)).toBe(100)],
      ['the keys have too little', 1000, (each) => expect(each).toEqual([10, 20, 30, 40, 25])],
    ])(
      'of several keys share what is the tenant’s, over all processes, where %s',
      async (_title, capacity, expected) => {
        const tenant = bucket('tenant', capacity);
        const limits: Limit[] = [10, 20, 30, 40].map((most) => bucket(`key${most}`, most));
        limits.push(budget('quota', 25));
        // Every process has its own claims, one for each key; they come in turns and not one key after the other.
        const claims = clients.map(() => limits.map((key): Claim => [tenant, key]));
        const requests = Array.from({ length: 50 * limits.length * clients.length }, (_, i) => ({
          key: Math.floor(i / clients.length) % limits.length,
          claim: claims[i % clients.length]?.[Math.floor(i / clients.length) % limits.length] as Claim,
        }));
        const verdicts = await takeAll(requests.map(({ claim }) => claim));
        const each = limits.map((_key, k) =>
          admitted(verdicts.filter((_verdict, i) => requests[i]?.key === k)),
        );
        expected(each);
        expect(await remaining([tenant])).toEqual([capacity - sum(each)]);
        expect(await remaining(limits)).toEqual(limits.map((key, k) => key.capacity - (each[k] ?? NaN)));
      },
    );

    it('are decided in the order they came where hundreds of them share a limit', async () => {
      const tenant = bucket('tenant', 111);
      const others = Array.from({ length: 300 }, (_, i) => bucket(`key${i}`, 1));
      const verdicts = await Promise.all(others.map(async (key) => store.limits.take([tenant, key])));
      // Across the nodes of a cluster and connections there is no order, but these are one tenant's and one process's.
      expect(verdicts.map(({ allowed }) => allowed)).toEqual(others.map((_key, i) => i < 111));
      expect(sum(await remaining(others))).toBe(300 - 111);
    });

    it('say which limit refused and when to come back, and take nothing when refused', async () => {
      const limits = [bucket('a', 4), bucket('b', 5, 3_600_000), budget('c', 6)];
      for (const [place, empty] of limits.entries()) {
        await store.limits.charge([[empty, empty.capacity]]);
        const before = await remaining(limits);
        for (let i = 0; i < 3; i++) {
          const { allowed, verdicts } = await store.limits.take(limits);
          expect(allowed).toBe(false);
          expect(verdicts.map((verdict) => verdict.allowed)).toEqual(
            limits.map((_limit, at) => at !== place),
          );
          expect(verdicts.map((verdict) => verdict.remaining)).toEqual(before);
          const waits = verdicts.map(({ retryAfterMs }) => retryAfterMs);
          const oneToken = empty.windowMs / empty.capacity;
          expect(waits).toEqual(
            limits.map((_limit, at) => (at === place ? (expect.any(Number) as number) : 0)),
          );
          expect(waits[place]).toBeLessThanOrEqual(oneToken);
          expect(waits[place]).toBeGreaterThanOrEqual(oneToken - 10_000);
        }
        expect(await remaining(limits)).toEqual(before);
        expect(await store.limits.peek(limits)).toMatchObject({ allowed: false });
        await store.limits.charge([[empty, -empty.capacity]]);
      }
      expect(await store.limits.take(limits)).toMatchObject({ allowed: true });
      expect(await remaining(limits)).toEqual([3, 4, 5]);
    });

    it('name every limit that refused, and the longest wait is theirs who need it', async () => {
      const limits = [bucket('a', 1, 60_000), bucket('b', 1), budget('c', 1)];
      await store.limits.take(limits);
      const { allowed, verdicts } = await store.limits.take(limits);
      expect([allowed, ...verdicts.map((verdict) => verdict.allowed)]).toEqual([false, false, false, false]);
      const [short, long, none] = verdicts.map(({ retryAfterMs }) => retryAfterMs);
      expect(short).toBeGreaterThan(50_000);
      expect(short).toBeLessThanOrEqual(60_000);
      expect(long).toBeGreaterThan(DAY_MS - 10_000);
      expect(none).toBe(0);
    });

    if (variant !== 'embedded') {
      it('with something that is no limit fail alone, whatever comes with them', async () => {
        const [tenant, broken, fine] = [bucket('tenant', 100), bucket('broken', 100), bucket('fine', 100)];
        await stage.premises.foreign.set(broken.key, 'a string');
        const [first, second, third] = await Promise.allSettled([
          store.limits.take([tenant, fine]),
          store.limits.take([tenant, broken]),
          store.limits.take([tenant, fine]),
        ]);
        expect(first).toMatchObject({ status: 'fulfilled', value: { allowed: true } });
        expect(second).toMatchObject({
          status: 'rejected',
          reason: { message: expect.stringMatching(/^WRONGTYPE/) },
        });
        expect(third).toMatchObject({ status: 'fulfilled', value: { allowed: true } });
        expect(await remaining([tenant, fine])).toEqual([98, 98]);
        // Nor does it keep the others from being charged.
        await store.limits.charge([tenant, broken, fine].map((limit) => [limit, 8] as const));
        expect(await remaining([tenant, fine])).toEqual([90, 90]);
        expect(store.state).toBe('ready');
      });
    }

    describe('of budgets', () => {
      /** Nano-units of nine million: above this a double no longer tells one from the next. */
      const CAP = 9_000_000_000_000_000;

      it('are charged what each costs, to the last unit, at once and over all processes', async () => {
        await store.limits.charge([[budget('cap', CAP), CAP - 1000]]);
        const below = lot(20_261_121);
        const costs = Array.from({ length: 600 }, () => [3, 5, 7, 11][below(4)] as number);
        const byCost = clients.map(() => new Map<number, Claim>());
        const claims = costs.map((cost, i) => {
          const own = byCost[i % clients.length] as Map<number, Claim>;
          return own.get(cost) ?? (own.set(cost, [budget('cap', CAP, cost)]).get(cost) as Claim);
        });
        const verdicts = await takeAll(claims);
        const spent = sum(verdicts.map(({ allowed }, i) => (allowed ? (costs[i] ?? NaN) : 0)));
        const [left] = await remaining([budget('cap', CAP)]);
        expect(left).toBe(1000 - spent);
        // Only what cost more than was left can have been refused.
        expect(left).toBeLessThan(3);
        expect(left).toBeGreaterThanOrEqual(0);
      });

      it('have room as soon as the capacity is raised, and none as soon as it is lowered', async () => {
        const spentBeyond = budget('cap', CAP - 1);
        await store.limits.charge([[spentBeyond, CAP]]);
        const allowed = async (capacity: number, cost: number): Promise<boolean> =>
          (await store.limits.take([budget('cap', capacity, cost)])).allowed;
        expect(await allowed(CAP - 1, 1)).toBe(false);
        expect(await allowed(CAP, 1)).toBe(false);
        expect(await allowed(CAP + 5, 6)).toBe(false);
        expect(await allowed(CAP + 5, 5)).toBe(true);
        expect(await allowed(CAP + 5, 1)).toBe(false);
        expect(await remaining([budget('cap', CAP + 7), budget('cap', 10)])).toEqual([2, 0]);
      });

      it('that cost nothing are always admitted, and nothing is spent', async () => {
        const [tenant, free] = [bucket('tenant', 10), budget('cap', 5, 0)];
        await store.limits.charge([[free, 4]]);
        expect(admitted(await takeAll(Array.from({ length: 3 }, () => [tenant, free])))).toBe(3);
        await store.limits.charge([[free, 4]]);
        // Even where more than everything has been spent; their other limits hold as ever.
        expect(admitted(await takeAll(Array.from({ length: 20 }, () => [tenant, free])))).toBe(7);
        expect(await store.limits.peek([free])).toMatchObject({ allowed: true });
        expect(await remaining([{ ...free, capacity: 10 }])).toEqual([2]);
      });

      it('get back what was not used, and never more than everything', async () => {
        const cap = budget('cap', 10, 4);
        for (let i = 0; i < 2; i++) await store.limits.take([cap]);
        expect((await store.limits.take([cap])).allowed).toBe(false);
        await store.limits.charge([[cap, -4]]);
        expect(await store.limits.take([cap])).toMatchObject({ allowed: true, verdicts: [{ remaining: 2 }] });
        await store.limits.charge([[cap, -1_000_000]]);
        expect(await remaining([cap])).toEqual([10]);
        await store.limits.charge([[cap, -3]]);
        for (let i = 0; i < 2; i++) expect((await store.limits.take([cap])).allowed).toBe(true);
        expect((await store.limits.take([cap])).allowed).toBe(false);
      });

      it('hold on a little after their period: the clocks of those who use them differ', async () => {
        const over = budget('month', 5, 1, Date.now() - 1000);
        let count = 0;
        for (let i = 0; i < 10; i++) if ((await store.limits.take([over])).allowed) count += 1;
        expect(count).toBe(5);
      });
    });
  },
  ['embedded', 'standalone', 'cluster'],
);

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
