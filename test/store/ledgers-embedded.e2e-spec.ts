import Database from 'libsql';
import { copyFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { StoreUnavailableError } from '#libs/store';
import { EmbeddedLedgers } from '../../libs/store/src/embedded/embedded-ledgers';
import { SqliteFile } from '../../libs/store/src/embedded/sqlite-file';
import { scratchFolder, startChild, waitFor } from '../support/children';
import { batch, count, sendUpTo } from './ledger-batches';
import { openTestStore } from './stores';

const STORE_LIBRARY = resolve(__dirname, '../../dist/libs/store/src/index.js');
const DAY_MS = 86_400_000;

describe('ledgers in the embedded store', () => {
  /** Writes without end, and says which batch is in. */
  const WRITER = `
    const { openStore } = require(${JSON.stringify(STORE_LIBRARY)});
    const [folder, source] = process.argv.slice(1);
    const store = openStore({ dataDir: folder }, console);
    (async () => {
      for (let seq = 1; seq < 1000000; seq++) {
        const additions = [['usage', 'requests', 1]];
        const cycleAdditions = [['money', 1]];
        const batch = { source, seq, after: seq - 1, additions, cycleAdditions };
        process.stdout.write((await store.ledgers.apply('acme', batch)) + '\\n');
      }
    })();
  `;

  it('lose no acknowledged batch across 15 kills in the middle of writing', async () => {
    const DATA_DIR = scratchFolder('killed');
    let total = 0;
    for (let round = 0; round < 15; round++) {
      const source = `r${round}`;
      const writer = await startChild(process.execPath, ['-e', WRITER, DATA_DIR, source], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let acknowledged = 0;
      createInterface({ input: writer.process.stdout! }).on('line', (line) => (acknowledged = Number(line)));
      await waitFor('some batches', () => acknowledged > (round * 7) % 40 || writer.hasExited(), 10_000, 1);
      expect(await writer.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
      expect(acknowledged).toBeGreaterThan(0);
      const store = await openTestStore({ DATA_DIR });
      const last = await store.ledgers.apply('acme', batch(1, 0, source));
      expect(last).toBeGreaterThanOrEqual(acknowledged);
      total += last;
      expect(await count(store)).toBe(total);
      await store.close();
    }
  }, 60_000);

  it('that were restored from a backup get the batches since then again, and no others', async () => {
    const [DATA_DIR, backup] = [scratchFolder('restored'), scratchFolder('backup')];
    // With its log, in which libsql leaves the last writes when it closes the file.
    const copy = (from: string, to: string): void => {
      for (const name of readdirSync(from)) copyFileSync(join(from, name), join(to, name));
    };
    let store = await openTestStore({ DATA_DIR });
    await sendUpTo(store, 5, 0);
    await store.close();
    copy(DATA_DIR, backup);
    store = await openTestStore({ DATA_DIR });
    await sendUpTo(store, 9, 5);
    await store.close();
    copy(backup, DATA_DIR);
    store = await openTestStore({ DATA_DIR });
    expect(await sendUpTo(store, 11, 9)).toEqual([5, 6, 7, 8, 9, 10, 11]);
    expect(await count(store)).toBe(11);
  });

  it('that cannot write now may be tried again, and have nothing of the batch', async () => {
    const DATA_DIR = scratchFolder('full');
    const store = await openTestStore({ DATA_DIR });
    const path = join(DATA_DIR, 'gatehouse.db');
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.ledgers.apply('acme', batch(1))).rejects.toThrow(StoreUnavailableError);
    other.exec('ROLLBACK');
    other.close();

    const file = new SqliteFile(path, { error: () => undefined } as never);
    const ledgers = new EmbeddedLedgers(file, Date.now);
    await ledgers.apply('acme', batch(1));
    file.database.exec('PRAGMA max_page_count = 30');
    const additions = Array.from({ length: 5000 }, (_unused, i) => ['usage', `field ${i}`, 1] as const);
    // SQLite ends the transaction of the second by itself, and not that of the first.
    const large = [{ ...batch(2, 1), additions }, batch(1, 0, 'a long name '.repeat(50_000))];
    for (const one of large) {
      await expect(ledgers.apply('acme', one)).rejects.toThrow(StoreUnavailableError);
      expect(await count(store)).toBe(1);
    }
    file.database.exec('PRAGMA max_page_count = 1000000');
    for (const one of large) expect(await ledgers.apply('acme', one)).toBe(one.seq);
    expect(await store.ledgers.readFields('acme', 'usage', ['requests', 'field 4999'])).toEqual([2n, 1n]);
    file.close();
  });

  it('are made in a file that is older than they are, and forget silent sources and expired tables', async () => {
    const DATA_DIR = scratchFolder('older');
    await (await openTestStore({ DATA_DIR })).close();
    const file = new Database(join(DATA_DIR, 'gatehouse.db'));
    for (const table of ['amounts', 'expiries', 'cycles', 'sources']) file.exec(`DROP TABLE ledger_${table}`);
    const rows = (table: string): unknown[] => file.prepare(`SELECT * FROM ledger_${table}`).all();
    let store = await openTestStore({ DATA_DIR });
    await sendUpTo(store, 2, 0);
    await store.ledgers.expire('acme', 'usage', 0);
    const silence = 40 * DAY_MS + 1;
    file.exec(`UPDATE ledger_sources SET applied_at = applied_at - ${silence}`);
    await store.close();
    store = await openTestStore({ DATA_DIR });
    await store.ledgers.apply('acme', { ...batch(1, 0, 'b'), additions: [] });
    expect(rows('sources')).toEqual([expect.objectContaining({ source: 'b', seq: 1 })]);
    expect(rows('amounts')).toEqual([{ ledger: 'acme', name: 'cycle:1', field: 'money', amount: 3 }]);
    expect(rows('expiries')).toEqual([]);
    file.close();
  });
});
