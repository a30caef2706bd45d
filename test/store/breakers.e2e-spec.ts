import { keys, StoreUnavailableError, type BreakerStep, type BreakerView } from '#libs/store';
import { waitFor } from '../support/children';
import { reachEverywhere } from '../support/limits';
import { startRedis, describeRedis } from '../support/redis';
import { describeStores, openTestStore, type OpenedStore } from './stores';

const TERMS = { openMs: 3_600_000, maxOpenMs: 10_000_000, probes: 2, permitMs: 60_000 };
/** Half-open by the time that anybody asks. */
const BRIEF = { ...TERMS, openMs: 1, maxOpenMs: 1 };

describeStores(
  'circuit breakers',
  (stage, variant) => {
    let stores: [OpenedStore, OpenedStore];
    let sequence = 0;
    let key: string;
    const step = (one: BreakerStep, by = 0): Promise<BreakerView> =>
      (stores[by] as OpenedStore).breakers.step(key, one);
    const read = (by = 1): Promise<BreakerView> => step({ do: 'read' }, by);
    const trip = (terms = TERMS, generation?: number): Promise<BreakerView> =>
      step({ do: 'trip', generation, reason: 'tests', terms });
    const permit = (id: string, by = 0, terms = BRIEF): Promise<BreakerView> =>
      step({ do: 'permit', id, terms }, by);
    const settle = (
      generation: number,
      id: string,
      outcome: 'succeeded' | 'failed' | 'void',
    ): Promise<BreakerView> =>
      step({ do: 'settle', generation, id, outcome, reason: 'probes', terms: BRIEF }, 1);
    const halfOpen = async (): Promise<number> => {
      const { generation } = await trip(BRIEF);
      await waitFor('the end of its time', async () => (await read()).state === 'half_open');
      return generation;
    };

    beforeAll(async () => {
      stores = [await stage.open(), await stage.open()];
      await Promise.all(stores.map(reachEverywhere));
    });
    beforeEach(() => void (key = keys.breaker('acme', String(++sequence), 'abc')));

    it('are closed while nothing is known', async () => {
      expect(await read()).toMatchObject({ state: 'closed', generation: 0, openings: 0, remainingMs: 0 });
    });

    it('are open to everybody, and again for twice as long, up to the longest', async () => {
      const opened = await trip();
      expect(opened).toMatchObject({ state: 'open', openings: 1, openMs: TERMS.openMs, reason: 'tests' });
      const seen = await read();
      expect(seen).toMatchObject({ state: 'open', generation: opened.generation, openings: 1 });
      expect(seen.remainingMs).toBeGreaterThan(TERMS.openMs - 60_000);
      expect(seen.remainingMs).toBeLessThanOrEqual(TERMS.openMs);
      // Somebody else who finds the same opens nothing.
      expect(await trip()).toMatchObject({ generation: opened.generation, openings: 1 });
      key = keys.breaker('acme', String(++sequence), 'abc');
      const lengths: number[] = [];
      for (let i = 0; i < 4; i++) {
        const terms = { ...BRIEF, maxOpenMs: 5 };
        const { generation, openMs } = await trip(terms);
        lengths.push(openMs);
        await waitFor('the end of its time', async () => (await read()).state === 'half_open');
        for (const id of ['a', 'b']) await permit(id);
        for (const id of ['a', 'b']) await settle(generation, id, 'succeeded');
      }
      expect(lengths).toEqual([1, 2, 4, 5]);
    });

    it('give as many permits as there are probes, whoever asks, and close when all went well', async () => {
      const generation = await halfOpen();
      const asked = await Promise.all(Array.from({ length: 20 }, async (_, i) => permit(`p${i}`, i % 2)));
      const granted = asked.flatMap((view, i) => (view.granted ? [`p${i}`] : []));
      expect(granted).toHaveLength(2);
      const [one = '', other = ''] = granted;
      expect(await settle(generation, one, 'succeeded')).toMatchObject({
        state: 'half_open',
        succeeded: 1,
        probing: 1,
      });
      // The one that went well keeps its place, and nobody settles twice or for others.
      expect(await permit('late')).toMatchObject({ granted: false });
      expect(await settle(generation, one, 'failed')).toMatchObject({ state: 'half_open' });
      expect(await settle(generation - 1, other, 'failed')).toMatchObject({ state: 'half_open' });
      const closed = await settle(generation, other, 'succeeded');
      expect(closed).toMatchObject({ state: 'closed', openings: 1, reason: 'probes' });
      expect(closed.generation).toBeGreaterThan(generation);
      // What failed before that is old.
      expect(await trip(TERMS, generation)).toMatchObject({ state: 'closed' });
      expect(await trip(TERMS, closed.generation)).toMatchObject({ state: 'open', openings: 2 });
    });

    it('open again when a probe fails, and give a permit again that showed nothing or was never heard of', async () => {
      const generation = await halfOpen();
      await permit('void');
      expect(await permit('lost', 0, { ...BRIEF, permitMs: 1 })).toMatchObject({ granted: true });
      await settle(generation, 'void', 'void');
      await waitFor('the lost one to be given up', async () => (await permit('second')).granted);
      await waitFor('the other one', async () => (await permit('third')).granted);
      const again = await settle(generation, 'second', 'failed');
      expect(again).toMatchObject({ openings: 2, probing: 0, reason: 'probes' });
      expect(again.generation).toBeGreaterThan(generation);
    });

    it('are held by an operator until another word', async () => {
      const { generation } = await trip();
      const force = (state: 'open' | 'closed' | 'none'): Promise<BreakerView> =>
        step({ do: 'force', state, reason: 'operator' });
      expect(await force('closed')).toMatchObject({ state: 'forced_closed', openings: 0 });
      expect(await trip()).toMatchObject({ state: 'forced_closed' });
      expect(await force('open')).toMatchObject({ state: 'forced_open', remainingMs: 0 });
      expect(await permit('a')).toMatchObject({ granted: false, state: 'forced_open' });
      const released = await force('none');
      expect(released).toMatchObject({ state: 'closed', reason: 'operator' });
      expect(released.generation).toBeGreaterThan(generation);
      expect(await read()).toEqual({ ...released, sinceMs: expect.any(Number) });
    });

    it('announce changes of their state, and not permits', async () => {
      const heard: (string | undefined)[] = [];
      stores[1].changes.subscribe((changed) => {
        if (changed === undefined || changed === key) heard.push(changed);
      });
      const generation = await halfOpen();
      await waitFor('the announcement', () => heard.length > 0);
      if (variant !== 'embedded') expect(new Set(heard)).toEqual(new Set([key]));
      const opened = heard.length;
      for (const id of ['a', 'b']) await permit(id);
      for (const id of ['a', 'b']) await settle(generation, id, 'succeeded');
      await waitFor('the next one', () => heard.length > opened);
    });
  },
  ['embedded', 'standalone', 'cluster'],
);

it('tells whose breaker a key is', () => {
  expect(keys.breakerOf(keys.breaker('acme', '7', 'abc'))).toEqual({ tenantId: 'acme', serviceId: '7' });
  expect(keys.breakerOf(keys.breaker('acme', '', 'abc'))).toEqual({ tenantId: 'acme', serviceId: '' });
  expect(keys.breakerOf('tenant:acme')).toBeUndefined();
  expect(keys.breakerOf(keys.serviceIndex('acme'))).toBeUndefined();
});

describeRedis('circuit breakers in a Redis that is away', () => {
  it('are said to be unreachable', async () => {
    const redis = await startRedis();
    const store = await openTestStore({ REDIS_URL: redis.url });
    await redis.kill();
    await waitFor('the loss', () => store.state !== 'ready');
    await expect(store.breakers.step('gatehouse:{a}:breaker::b', { do: 'read' })).rejects.toThrow(
      StoreUnavailableError,
    );
  });
});
