import { keys, StoreUnavailableError, type LedgerBatch } from '#libs/store';
import { waitFor } from '../support/children';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { batch, count, sendUpTo } from './ledger-batches';
import { openTestStore, type OpenedStore } from './stores';

const DAY_MS = 86_400_000;

describeRedis('ledgers in a Redis', () => {
  let redis: TestRedis;
  let store: OpenedStore;
  const open = async (settings: Parameters<typeof startRedis>[0] = {}): Promise<void> => {
    redis = await startRedis(settings);
    store = await openTestStore({ REDIS_URL: redis.url });
  };
  const back = (): Promise<true> => waitFor('Redis', () => store.state === 'ready', 10_000) as Promise<true>;
  afterEach(async () => {
    await store.close();
    await redis.stop();
  });

  it('that is away are unavailable, and empty ones are noticed when it is back', async () => {
    await open();
    expect(await store.ledgers.apply('acme', batch(1))).toBe(1);
    await redis.kill();
    await waitFor('the loss', () => store.state === 'away');
    const { ledgers } = store;
    const calls = [
      () => ledgers.apply('acme', batch(2, 1)),
      () => ledgers.read('acme', 'usage'),
      () => ledgers.readFields('acme', 'usage', ['requests']),
      () => ledgers.openCycle('acme'),
      () => ledgers.closeCycle('acme', 1),
      () => ledgers.expire('acme', 'usage', 1),
      () => ledgers.drop('acme'),
    ];
    for (const call of calls) await expect(call()).rejects.toThrow(StoreUnavailableError);
    await redis.restart();
    await back();
    // The new server knows no scripts either.
    expect(await store.ledgers.apply('acme', batch(2, 1))).toBe(0);
    expect(await sendUpTo(store, 2, 0)).toEqual([1, 2]);
    expect(await count(store)).toBe(2);
  });

  it('that hangs with a batch under way have it once after it was repeated', async () => {
    await open();
    await store.ledgers.apply('acme', batch(1));
    redis.pause();
    await expect(store.ledgers.apply('acme', batch(2, 1))).rejects.toThrow(StoreUnavailableError);
    redis.resume();
    await back();
    await waitFor('the batch that nobody waits for', async () => (await count(store)) === 2);
    expect(await store.ledgers.apply('acme', batch(2, 1))).toBe(2);
    expect(await count(store)).toBe(2);
  });

  it('that was restored from a backup get the batches since then again, and no others', async () => {
    await open();
    await sendUpTo(store, 5, 0);
    await redis.cli('SAVE');
    await sendUpTo(store, 9, 5);
    await redis.kill();
    await redis.restart();
    await back();
    expect(await sendUpTo(store, 11, 9)).toEqual([5, 6, 7, 8, 9, 10, 11]);
    expect(await count(store)).toBe(11);
  });

  it('have every batch whole or not at all after a kill -9 in the middle of writing', async () => {
    await open({ aof: true });
    for (let round = 0; round < 3; round++) {
      const source = `r${round}`;
      const before = await count(store);
      let acknowledged = 0;
      let unsure = 0;
      const writer = (async () => {
        // Until the kill; bounded, should that not come.
        for (unsure = 1; unsure < 100_000; unsure++) {
          acknowledged = await store.ledgers.apply('acme', batch(unsure, unsure - 1, source));
        }
      })();
      await waitFor('some batches', () => acknowledged >= 20 + round * 7);
      await redis.kill();
      await expect(writer).rejects.toThrow(StoreUnavailableError);
      await redis.restart();
      await back();
      const added = (await count(store)) - before;
      expect([acknowledged, unsure]).toContain(added);
      expect(await store.ledgers.apply('acme', batch(unsure, unsure - 1, source))).toBe(unsure);
      expect(await count(store)).toBe(before + unsure);
    }
  }, 30_000);

  it('that is out of memory may be tried again, and have nothing of the batch', async () => {
    await open();
    // First with nothing there, then with something.
    for (const seq of [1, 2]) {
      await redis.cli('CONFIG', 'SET', 'maxmemory', '1');
      await expect(store.ledgers.apply('acme', batch(seq, seq - 1))).rejects.toThrow(StoreUnavailableError);
      expect(await count(store)).toBe(seq - 1);
      await redis.cli('CONFIG', 'SET', 'maxmemory', '0');
      expect(await store.ledgers.apply('acme', batch(seq, seq - 1))).toBe(seq);
      expect(await count(store)).toBe(seq);
    }
  });

  it('refuse a batch whole where a field holds no integer', async () => {
    await open();
    const key = keys.ledgerTable('acme', 'cycle:1');
    await redis.cli('HSET', key, 'money', '1.5', 'other', '7');
    await expect(store.ledgers.apply('acme', batch(1))).rejects.toThrow(
      `${key} cannot be added to at money: `,
    );
    await expect(store.ledgers.read('acme', 'cycle:1')).rejects.toThrow(`${key} holds something`);
    expect((await redis.cli('KEYS', '*')).split('\n')).toEqual([key]);
    expect(await redis.cli('HGETALL', key)).toBe('money\n1.5\nother\n7');
    expect(store.state).toBe('ready');
  });

  it('leave no key behind, and remember a source for 40 days', async () => {
    await open();
    const { ledgers } = store;
    const expiring = (seq: number): LedgerBatch => ({ ...batch(seq), additions: [['short', 'a', 1]] });
    const index = keys.ledgerIndex('acme');
    const indexed = async (): Promise<string[]> => (await redis.cli('ZRANGE', index, '0', '-1')).split('\n');
    await ledgers.apply('acme', expiring(1));
    const marker = keys.ledgerMarker('acme', 'a');
    const ttl = Number(await redis.cli('PTTL', marker));
    expect(ttl).toBeLessThanOrEqual(40 * DAY_MS);
    expect(ttl).toBeGreaterThan(40 * DAY_MS - 60_000);
    // An addition to a table that is about to go does not make the index keep it.
    await Promise.all([ledgers.expire('acme', 'short', 100), ledgers.apply('acme', expiring(2))]);
    await waitFor('the end', async () => (await ledgers.read('acme', 'short')).size === 0);
    await ledgers.apply('acme', batch(3));
    const tables = ['cycle:1', 'usage'].map((table) => keys.ledgerTable('acme', table));
    expect((await indexed()).sort()).toEqual([marker, ...tables]);
    // Once more what has expired, that it is found again.
    await ledgers.apply('acme', expiring(4));
    await ledgers.closeCycle('acme', 1);
    await ledgers.apply('acme', batch(5, 0, 'b'));
    expect((await redis.cli('KEYS', '*')).split('\n')).toHaveLength(8);
    await ledgers.drop('acme');
    expect(await redis.cli('KEYS', '*')).toBe('');
  });
});
