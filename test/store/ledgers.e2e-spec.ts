import Database from 'libsql';
import { join } from 'node:path';
import { keys, StoreUnavailableError, type LedgerBatch } from '#libs/store';
import { waitFor } from '../support/children';
import { describeStores, type OpenedStore, type Stage, type VariantName } from './stores';

const MOST = Number.MAX_SAFE_INTEGER;

/** A batch that counts one request, unless told otherwise. */
function batch(source: string, seq: number, rest: Partial<LedgerBatch> = {}): LedgerBatch {
  return { source, seq, after: 0, additions: [['usage', 'requests', 1]], cycleAdditions: [], ...rest };
}

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_unused, i) => make(i));

/** Loses everything, as a Redis without persistence does. */
async function lose({ premises }: Stage, variant: VariantName): Promise<void> {
  if (variant !== 'embedded') return premises.foreign.flush();
  const database = new Database(join(premises.env.DATA_DIR ?? '', 'gatehouse.db'), { timeout: 5000 });
  for (const table of ['amounts', 'sources', 'cycles']) database.exec(`DELETE FROM ledger_${table}`);
  database.close();
}

describeStores('ledgers', (stage, variant) => {
  let store: OpenedStore;
  let clients: [OpenedStore, OpenedStore];
  let sequence = 0;
  let ledger: string;
  const read = (table: string): Promise<Map<string, bigint>> => store.ledgers.read(ledger, table);
  const apply = (one: LedgerBatch, by = store): Promise<number> => by.ledgers.apply(ledger, one);

  beforeAll(async () => {
    clients = [await stage.open(), await stage.open()];
    store = clients[0];
  });
  beforeEach(() => void (ledger = `t${++sequence}`));

  it('add to tables and to the open cycle, each ledger for itself', async () => {
    const additions = [['usage', 'requests', 5], ['usage', 'errors', 0], ['days', '2030-01-01', 7], ['usage', 'requests', -2]] as const; // prettier-ignore
    const cycleAdditions = [['money', 250], ['money', -300]] as const; // prettier-ignore
    expect(await apply(batch('a', 1, { additions, cycleAdditions }))).toBe(1);
    const other = clients[1].ledgers;
    expect(await other.read(ledger, 'usage')).toEqual(new Map([['requests', 3n], ['errors', 0n]])); // prettier-ignore
    expect(await other.readFields(ledger, 'days', ['none', '2030-01-01', 'none'])).toEqual([0n, 7n, 0n]);
    expect(await read('cycle:1')).toEqual(new Map([['money', -50n]]));
    expect(await other.openCycle(ledger)).toBe(1);
    expect(await read('money')).toEqual(new Map());
    expect(await other.readFields(ledger, 'money', ['none'])).toEqual([0n]);
    expect(await other.readFields(ledger, 'usage', [])).toEqual([]);
    expect(await other.read(`${ledger}x`, 'usage')).toEqual(new Map());
  });

  it('add a batch once, however often, at once and by whom it is repeated', async () => {
    for (const seq of [3, 4, 90]) {
      const repeats = times(20, (i) => apply(batch('a', seq), clients[i % 2]));
      expect(new Set(await Promise.all(repeats))).toEqual(new Set([seq]));
      expect(await apply(batch('a', seq))).toBe(seq);
    }
    // Late repeats of earlier ones, and one that was overtaken.
    for (const seq of [3, 4, 50]) expect(await apply(batch('a', seq))).toBe(90);
    expect(await read('usage')).toEqual(new Map([['requests', 3n]]));
    expect(await apply(batch('another', 3))).toBe(3);
    expect(await read('usage')).toEqual(new Map([['requests', 4n]]));
  });

  it('have exact sums after 50 appliers at once, ten of each source with the same batches', async () => {
    const ofSource = (source: number, seq: number): LedgerBatch =>
      batch(`s${source}`, seq, {
        after: seq - 1,
        additions: [['usage', 'requests', seq], ['sources', `s${source}`, 1]], // prettier-ignore
        cycleAdditions: [['money', seq * 100]],
      });
    const appliers = times(50, async (i) => {
      for (let seq = 1; seq <= 20; seq++) {
        const last = await apply(ofSource(i % 5, seq), clients[i % 2]);
        expect(last).toBeGreaterThanOrEqual(seq);
      }
    });
    await Promise.all(appliers);
    expect(await read('usage')).toEqual(new Map([['requests', 5n * 210n]]));
    expect(await read('cycle:1')).toEqual(new Map([['money', 5n * 21_000n]]));
    expect(await read('sources')).toEqual(new Map(times(5, (i) => [`s${i}`, 20n])));
  });

  it('tell when they have lost batches, and take nothing before those are repeated', async () => {
    await apply(batch('a', 1));
    await apply(batch('a', 7, { after: 1 }));
    await lose(stage, variant);
    const next = batch('a', 9, { after: 7 });
    expect(await apply(next)).toBe(0);
    expect(await read('usage')).toEqual(new Map());
    expect(await apply(batch('a', 1))).toBe(1);
    expect(await apply(next)).toBe(1);
    expect(await apply(batch('a', 7, { after: 1 }))).toBe(7);
    expect(await apply(next)).toBe(9);
    expect(await read('usage')).toEqual(new Map([['requests', 3n]]));
  });

  it('add nothing to a cycle that was closed in the middle of 200 batches', async () => {
    const money = (amount: number): Partial<LedgerBatch> => ({ cycleAdditions: [['money', amount]] });
    const send = (i: number): Promise<number> => apply(batch(`s${i}`, 1, money(i)), clients[i % 2]);
    const before = times(100, send);
    const closing = store.ledgers.closeCycle(ledger, 1).then(async (closed) => {
      expect(closed).toBe(true);
      return clients[1].ledgers.read(ledger, 'cycle:1');
    });
    const after = times(100, (i) => send(100 + i));
    const atClosing = await closing;
    await Promise.all([...before, ...after]);
    expect(await read('cycle:1')).toEqual(atClosing);
    const [first = 0n, second = 0n] = [atClosing.get('money'), (await read('cycle:2')).get('money')];
    expect(first).toBeGreaterThan(0n);
    expect(second).toBeGreaterThan(0n);
    expect(first + second).toBe((199n * 200n) / 2n);
    // A batch that is already in stays in its cycle.
    await Promise.all(times(200, send));
    expect(await read('cycle:1')).toEqual(atClosing);
  });

  it('close a cycle once, and none but the open one', async () => {
    expect(await store.ledgers.closeCycle(ledger, 2)).toBe(false);
    expect(await store.ledgers.closeCycle(ledger, 0)).toBe(false);
    const closings = times(20, (i) => (clients[i % 2] ?? store).ledgers.closeCycle(ledger, 1));
    expect((await Promise.all(closings)).filter(Boolean)).toHaveLength(1);
    expect(await store.ledgers.closeCycle(ledger, 2)).toBe(true);
    expect(await clients[1].ledgers.openCycle(ledger)).toBe(3);
  });

  it('are exact up to 64 bits, and refuse a batch whole that goes beyond', async () => {
    // 1024 times 2^53-1 is 1023 less than the largest integer of 64 bits.
    const nearly = times(1024, () => ['sums', 'up', MOST] as const);
    await apply(batch('a', 1, { additions: nearly }));
    await apply(batch('a', 2, { additions: nearly.map(() => ['sums', 'down', -MOST] as const) }));
    expect(await read('sums')).toEqual(new Map([['up', 2n ** 63n - 1024n], ['down', 1024n - 2n ** 63n]])); // prettier-ignore
    const many = times(2500, (i) => ['many', `field ${i}`, i] as const);
    await apply(batch('b', 1, { additions: many }));
    const additions = [['new', 'a', 1], ...many, ['sums', 'up', 5], ['sums', 'new', 6], ['sums', 'up', 1019], ['late', 'b', 1]] as const; // prettier-ignore
    const failure = await apply(batch('a', 3, { additions, cycleAdditions: [['money', 1]] })).catch(
      (error: Error) => error,
    );
    expect(failure).not.toBeInstanceOf(StoreUnavailableError);
    expect((failure as Error).message).toMatch(/sums.* overflow/);
    for (const table of ['new', 'late', 'cycle:1']) expect(await read(table)).toEqual(new Map());
    expect(await read('sums')).toEqual(new Map([['up', 2n ** 63n - 1024n], ['down', 1024n - 2n ** 63n]])); // prettier-ignore
    expect(await read('many')).toEqual(new Map(many.map(([, field, amount]) => [field, BigInt(amount)])));
    expect(store.state).toBe('ready');
    // The seq is free for a batch that fits, to the very last unit.
    expect(await apply(batch('a', 3, { additions: [['sums', 'up', 1023], ['sums', 'down', -1024]] }))).toBe(3); // prettier-ignore
    const sums = await store.ledgers.readFields(ledger, 'sums', ['up', 'down']);
    expect(sums).toEqual([2n ** 63n - 1n, -(2n ** 63n)]);
  });

  if (variant !== 'embedded') {
    it.each<[what: string, key: (id: string) => string]>([
      ['a table', (id) => keys.ledgerTable(id, 'broken')],
      ['the table of the cycle', (id) => keys.ledgerTable(id, 'cycle:1')],
      ['the index', keys.ledgerIndex],
    ])('refuse a batch whole, and name the key, where %s is something else', async (_what, key) => {
      await stage.premises.foreign.set(key(ledger), 'a string');
      const additions = [['usage', 'requests', 1], ['broken', 'b', 1]] as const; // prettier-ignore
      const broken = apply(batch('a', 1, { additions, cycleAdditions: [['money', 1]] }));
      await expect(broken).rejects.toThrow(`WRONGTYPE ${key(ledger)} holds a string`);
      await expect(broken).rejects.not.toThrow(StoreUnavailableError);
      expect(store.state).toBe('ready');
      expect(await read('usage')).toEqual(new Map());
      await stage.premises.foreign.delete(key(ledger));
      expect(await apply(batch('a', 1))).toBe(1);
      expect(await read('usage')).toEqual(new Map([['requests', 1n]]));
    });
  }

  it.each<[what: string, wrong: Partial<LedgerBatch>]>([
    ['a fraction', { additions: [['usage', 'requests', 1], ['usage', 'money', 0.5]] }],
    ['an inexact amount', { additions: [['usage', 'requests', 1], ['usage', 'money', MOST + 1]] }],
    ['no number', { cycleAdditions: [['requests', 1], ['money', NaN]] }],
    ['a cycle of its choice', { additions: [['usage', 'requests', 1], ['cycle:1', 'money', 1]] }],
    ['a NUL in a name', { additions: [['usage', 'requests', 1], ['usage', 'a\0b', 1]] }],
    ['half a character', { additions: [['usage', 'requests', 1], ['\ud83d', 'a', 1]] }],
    ['no seq', { seq: 0 }],
    ['half a seq', { seq: 1.5 }],
    ['no confirmed seq', { after: -1 }],
  ])('refuse a batch with %s', async (_what, wrong) => {
    await expect(apply(batch('a', 1, wrong))).rejects.toThrow(RangeError);
    expect([await read('usage'), await read('cycle:1')]).toEqual([new Map(), new Map()]);
    expect(await apply(batch('a', 1))).toBe(1);
  }); // prettier-ignore

  it('keep names as they are', async () => {
    const names = [
      '',
      '__proto__',
      'constructor',
      '7',
      '07',
      'ü😀',
      '{a}:b',
      'GET /a b"\\\n',
      'cycle',
      '\ud7ff',
    ];
    const additions = names.flatMap((table) => names.map((field, i) => [table, field, i + 1] as const));
    await apply(batch('a', 1, { additions }));
    const expected = new Map(names.map((field, i) => [field, BigInt(i + 1)]));
    for (const table of names) {
      expect(await read(table)).toEqual(expected);
      expect(await store.ledgers.readFields(ledger, table, names)).toEqual([...expected.values()]);
    }
  });

  it('forget a table when it was told to, and begin it anew', async () => {
    const additions = [['short', 'a', 1], ['usage', 'a', 1]] as const; // prettier-ignore
    const gone = (table: string): Promise<void> =>
      waitFor(`the end of ${table}`, async () => (await read(table)).size === 0).then(() => undefined);
    await store.ledgers.expire(ledger, 'short', 1);
    await apply(batch('a', 1, { additions }));
    await store.ledgers.expire(ledger, 'short', 60_000);
    expect(await read('short')).toEqual(new Map([['a', 1n]]));
    // Sent together, so that the addition comes in time on any machine; it must not make the table stay.
    await Promise.all([store.ledgers.expire(ledger, 'short', 300), apply(batch('a', 2, { additions }))]);
    await gone('short');
    expect(await store.ledgers.readFields(ledger, 'short', ['a'])).toEqual([0n]);
    await apply(batch('a', 3, { additions }));
    expect(await read('short')).toEqual(new Map([['a', 1n]]));
    await store.ledgers.expire(ledger, 'short', 0);
    expect(await read('short')).toEqual(new Map());
    expect(await read('usage')).toEqual(new Map([['a', 3n]]));
  });

  it('bound the life of a table from the batch that makes it, and not again', async () => {
    const additions = [['short', 'a', 1], ['usage', 'a', 1]] as const; // prettier-ignore
    const lifetimes = new Map([['short', 300]]);
    await apply(batch('a', 1, { additions, lifetimes }));
    expect(await read('short')).toEqual(new Map([['a', 1n]]));
    await apply(batch('a', 2, { additions, lifetimes: new Map([['short', 60_000]]) }));
    await waitFor('the end of the table', async () => (await read('short')).size === 0);
    // Made anew, by another source.
    await apply(batch('b', 1, { additions, lifetimes: new Map([['short', 60_000]]) }));
    expect(await read('short')).toEqual(new Map([['a', 1n]]));
    expect(await read('usage')).toEqual(new Map([['a', 3n]]));
  });

  it('are dropped with tables, cycles and sources, and no others with them', async () => {
    await store.ledgers.apply(`${ledger}x`, batch('a', 5));
    await apply(batch('a', 5, { cycleAdditions: [['money', 1]] }));
    await store.ledgers.closeCycle(ledger, 1);
    await store.ledgers.drop(ledger);
    expect([await read('usage'), await read('cycle:1')]).toEqual([new Map(), new Map()]);
    expect(await store.ledgers.openCycle(ledger)).toBe(1);
    expect(await apply(batch('a', 6, { after: 5 }))).toBe(0);
    expect(await store.ledgers.apply(`${ledger}x`, batch('a', 5))).toBe(5);
    expect(await store.ledgers.read(`${ledger}x`, 'usage')).toEqual(new Map([['requests', 1n]]));
    await store.ledgers.drop(`${ledger} that nobody has used`);
  });

  it('take 20,000 additions in a batch, once', async () => {
    // Most of them to one table: more than fits on the stack of Lua.
    const tableOf = (i: number): number => (i % 9 === 0 ? 1 : 0);
    const additions = times(20_000, (i) => [`table ${tableOf(i)}`, `field ${Math.floor(i / 2)}`, i] as const);
    const huge = batch('a', 1, { additions, cycleAdditions: times(5000, (i) => [`key ${i}`, 1] as const) });
    expect(await Promise.all(times(3, (i) => apply(huge, clients[i % 2])))).toEqual([1, 1, 1]);
    const expected = times(2, () => new Map<string, bigint>());
    additions.forEach(([, field, amount], i) => {
      const table = expected[tableOf(i)] as Map<string, bigint>;
      table.set(field, (table.get(field) ?? 0n) + BigInt(amount));
    });
    for (const [i, table] of expected.entries()) expect(await read(`table ${i}`)).toEqual(table);
    expect((await read('cycle:1')).size).toBe(5000);
  });
});
