import { StoreUnavailableError, type Bucket, type Budget, type Claim, type Limit } from '#libs/store';
import { RateLimiter, type RateLimitMode } from '../../libs/guards/src/rate-limiter';
import { waitFor } from '../support/children';
import { peekOne, takeOne } from '../support/limits';
import { describeRedis, describeRedisTls, startRedis, type TestRedis } from '../support/redis';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { openTestStore, type OpenedStore } from './stores';

const DAY_MS = 86_400_000;

let sequence = 0;
const bucketOf = (capacity: number, windowMs = DAY_MS): Bucket => ({
  key: `rl:{t${++sequence}}:${windowMs}`,
  capacity,
  windowMs,
});
const budgetOf = (capacity: number, cost = 1): Budget => ({
  key: `rl:{t${++sequence}}:quota`,
  capacity,
  windowMs: 0,
  cost,
  endsAt: 0,
});

for (const tls of [false, true]) {
  (tls ? describeRedisTls : describeRedis)(`calls of scripts${tls ? ' over TLS' : ''}`, () => {
    let redis: TestRedis;
    let wire: TcpProxy;
    let store: OpenedStore;
    beforeAll(async () => {
      redis = await startRedis({ tls });
      wire = await startTcpProxy(redis.port);
      store = await openTestStore({
        REDIS_URL: `${tls ? 'rediss' : 'redis'}://127.0.0.1:${wire.port}`,
        REDIS_COMMAND_TIMEOUT_MS: '300',
        ...(tls && { REDIS_TLS_CA_FILE: redis.certificates?.caFile ?? '' }),
      });
    });
    afterAll(async () => {
      await store.close();
      await Promise.all([wire.stop(), redis.stop()]);
    });

    /** Requests at once, with a claim of their own each: what became of them. */
    const takeMany = (limit: Limit, count: number): Promise<PromiseSettledResult<boolean>[]> =>
      Promise.allSettled(
        Array.from({ length: count }, async () => (await store.limits.take([limit])).allowed),
      );
    const admitted = (outcomes: PromiseSettledResult<boolean>[]): number =>
      outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value).length;

    it('that Redis has forgotten are made all the same, each once', async () => {
      const bucket = bucketOf(300);
      expect(admitted(await takeMany(bucket, 100))).toBe(100);
      const forgotten = redis.cli('SCRIPT', 'FLUSH');
      let taken = 0;
      // Some before, some behind, and some in between.
      for (let i = 0; i < 10; i++) taken += admitted(await takeMany(bucket, 10));
      await forgotten;
      await redis.cli('SCRIPT', 'FLUSH');
      expect(taken + admitted(await takeMany(bucket, 500))).toBe(200);
      expect(await peekOne(store, bucket)).toMatchObject({ allowed: false, remaining: 0 });
    });

    it('that charge come first although only what follows them is known', async () => {
      const bucket = bucketOf(10);
      await redis.cli('SCRIPT', 'FLUSH');
      await takeOne(store, bucket);
      const charged = store.limits.charge([[bucket, 9]]);
      const after = [takeOne(store, bucket), peekOne(store, bucket)];
      await charged;
      for (const verdict of await Promise.all(after)) expect(verdict.allowed).toBe(false);
    });

    it('that are cut off end, every one of them, and what comes later is not mixed up with them', async () => {
      const bucket = bucketOf(100_000);
      wire.delay(100);
      const underWay = takeMany(bucket, 500);
      const leased = store.limits.lease([
        { bucket, wanted: 5, generation: 0, used: 0, returned: 0, held: 0 },
      ]);
      const charged = store.limits.charge([[bucket, 7]]);
      await waitFor(
        'the calls to be sent',
        () => new Promise((resolve) => setImmediate(() => resolve(true))),
      );
      wire.cut();
      for (const outcome of await underWay) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailableError) });
      }
      expect(await leased).toEqual([expect.any(StoreUnavailableError)]);
      expect(await charged).toEqual([[bucket, 7]]);
      wire.mend();
      await waitFor('the store', () => store.state === 'ready');
      const other = bucketOf(7);
      expect(admitted(await takeMany(other, 50))).toBe(7);
    });

    if (!tls) {
      it('that nobody answers end as well', async () => {
        const bucket = bucketOf(100);
        wire.swallow();
        for (const outcome of await takeMany(bucket, 50)) expect(outcome.status).toBe('rejected');
        expect(store.state).toBe('away');
        await expect(store.limits.take([bucket])).rejects.toThrow(StoreUnavailableError);
        wire.mend();
        await waitFor('the store', () => store.state === 'ready', 10_000);
        expect(admitted(await takeMany(bucketOf(7), 50))).toBe(7);
      });
    }

    it('find their way into a Redis that was started anew', async () => {
      await redis.restart();
      await waitFor('the store', async () => {
        const [outcome] = await takeMany(bucketOf(1), 1);
        return outcome?.status === 'fulfilled';
      }); // prettier-ignore
      const bucket = bucketOf(50);
      expect(admitted(await takeMany(bucket, 200))).toBe(50);
    });
  });
}

describeRedis('limits while Redis is away', () => {
  let redis: TestRedis;
  let wire: TcpProxy;
  /** A process whose line to Redis can be cut, and one whose cannot. */
  let cutOff: OpenedStore;
  let informed: OpenedStore;
  beforeAll(async () => {
    redis = await startRedis();
    wire = await startTcpProxy(redis.port);
    cutOff = await openTestStore({
      REDIS_URL: `redis://127.0.0.1:${wire.port}`,
      REDIS_COMMAND_TIMEOUT_MS: '300',
    });
    informed = await openTestStore({ REDIS_URL: redis.url });
  });
  afterEach(async () => {
    wire.mend();
    await waitFor('the store', () => cutOff.state === 'ready');
  });
  afterAll(() => Promise.all([wire.stop(), redis.stop()]));

  const left = async (limit: Limit): Promise<number> => (await peekOne(informed, limit)).remaining;
  const leave = async (): Promise<void> => {
    wire.cut();
    await waitFor('the loss', () => cutOff.state === 'away');
  };
  const takeMany = async (limiter: RateLimiter, claim: Claim, count: number): Promise<number> => {
    let admitted = 0;
    for (let i = 0; i < count; i++) if ((await limiter.take(claim)).allowed) admitted += 1;
    return admitted;
  };

  it.each<RateLimitMode>(['exact', 'leased'])(
    'what was given out of any of them is charged at the return, without a request (%s)',
    async (mode) => {
      const limiter = new RateLimiter(cutOff, mode);
      const tenants = Array.from({ length: 100 }, () => bucketOf(1000));
      const quotas = tenants.map(() => budgetOf(1000, 3));
      const claims = tenants.map((tenant, i) => [tenant, quotas[i] as Budget]);
      // Budgets are only given out where something is known of them.
      for (const claim of claims) await limiter.take(claim);
      await leave();
      for (const claim of claims) expect(await takeMany(limiter, claim, 7)).toBe(7);
      expect(await left(tenants[0] as Bucket)).toBe(999);
      wire.mend();
      await waitFor('the debts', async () => (await left(quotas[99] as Budget)) < 997);
      expect(await Promise.all(tenants.map(left))).toEqual(tenants.map(() => 1000 - 8));
      expect(await Promise.all(quotas.map(left))).toEqual(quotas.map(() => 1000 - 8 * 3));
      await limiter.close();
    },
  );

  it('what comes back of a budget is refunded, and may be used again at once', async () => {
    const limiter = new RateLimiter(cutOff);
    const quota = budgetOf(10, 2);
    for (let i = 0; i < 3; i++) await limiter.take([quota]);
    await leave();
    expect(await takeMany(limiter, [quota], 5)).toBe(2);
    limiter.refund(quota, 2);
    expect(await takeMany(limiter, [quota], 5)).toBe(1);
    limiter.refund(quota, 2);
    wire.mend();
    await waitFor('the debts', async () => (await left(quota)) === 2);
    limiter.refund(quota, 2);
    // Before the next request at the latest.
    expect(await takeMany(limiter, [quota], 5)).toBe(2);
    expect(await left(quota)).toBe(0);
    await limiter.close();
  });

  it('go on where they were when the configuration is read again, with other numbers even', async () => {
    const limiter = new RateLimiter(cutOff);
    const [bucket, quota] = [bucketOf(100), budgetOf(40)];
    await limiter.take([bucket, quota]);
    await leave();
    let admitted = 0;
    for (let i = 0; i < 60; i++) {
      // Another object at every request, and sometimes another capacity.
      const claim = [{ ...bucket, capacity: 100 + (i % 3) }, { ...quota }];
      if ((await limiter.take(claim)).allowed) admitted += 1;
    }
    expect(admitted).toBe(39);
    wire.mend();
    await waitFor('the debts', async () => (await left(quota)) === 0);
    expect(await left(bucket)).toBe(60);
    await limiter.close();
  });

  it('are not given out on a guess where they are money and nothing is known of them', async () => {
    const limiter = new RateLimiter(cutOff);
    const [bucket, unknown] = [bucketOf(100), budgetOf(1000)];
    await leave();
    await expect(limiter.take([bucket, unknown])).rejects.toThrow(StoreUnavailableError);
    expect((await limiter.take([bucket])).allowed).toBe(true);
    wire.mend();
    await waitFor('the debts', async () => (await left(bucket)) < 100);
    // Of the claim that was turned away, nothing was taken.
    expect(await left(bucket)).toBe(99);
    expect(await left(unknown)).toBe(1000);
    await limiter.close();
  });

  it.each<RateLimitMode>(['exact', 'leased'])(
    'are one share and no more where Redis is there but refuses, and are charged when it does not (%s)',
    async (mode) => {
      const limiter = new RateLimiter(informed, mode);
      const bucket = bucketOf(100);
      const known = mode === 'leased' ? 0 : await takeMany(limiter, [bucket], 20);
      await redis.cli('CONFIG', 'SET', 'maxmemory', '1');
      const admitted = await takeMany(limiter, [bucket], 300);
      expect(informed.state).toBe('ready');
      expect(admitted).toBe(100 - known);
      await redis.cli('CONFIG', 'SET', 'maxmemory', '0');
      await waitFor('the debts', async () => (await left(bucket)) === 0);
      await limiter.close();
    },
  );

  it('are leased again after the return, and nothing is lost or admitted twice for good', async () => {
    const limiter = new RateLimiter(cutOff, 'leased');
    const bucket = bucketOf(1000);
    const claim = [bucket];
    let admitted = await takeMany(limiter, claim, 50);
    for (let i = 0; i < 3; i++) {
      await leave();
      admitted += await takeMany(limiter, claim, 50);
      wire.mend();
      await waitFor('the store', () => cutOff.state === 'ready');
      admitted += await takeMany(limiter, claim, 50);
    }
    expect(admitted).toBe(350);
    await limiter.close();
    // What was on lease when the line was cut is lost at worst; a lease is no more than a hundred of a thousand here.
    const rest = await left(bucket);
    expect(rest).toBeLessThanOrEqual(650);
    expect(rest).toBeGreaterThan(300);
    let more = 0;
    for (let i = 0; i < 700; i++) if ((await takeOne(informed, bucket)).allowed) more += 1;
    expect(admitted + more).toBeLessThanOrEqual(1000);
  });
});
