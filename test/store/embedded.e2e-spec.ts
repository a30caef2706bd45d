import Database from 'libsql';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { StoreUnavailableError, StoreUnusableError } from '#libs/store';
import { scratchFolder, startChild, waitFor, type TestChild } from '../support/children';
import { startProcess } from '../support/process';
import { ADMIN_TOKEN, admin, tally } from '../support/traffic';
import { openTestStore } from './stores';

const STORE_LIBRARY = resolve(__dirname, '../../dist/libs/store/src/index.js');

/** Writes without end, one document and index entry after the other, and says which one is stored. */
const WRITER = `
  const { openStore } = require(${JSON.stringify(STORE_LIBRARY)});
  const [folder, round, limit] = process.argv.slice(1);
  const store = openStore({ dataDir: folder }, console);
  (async () => {
    for (let i = 0; i < Number(limit); i++) {
      const member = round + '-' + i;
      const done = await store.documents.put('tenant:' + member, 'text of ' + member, 'absent');
      await store.documents.indexAdd('written', member);
      process.stdout.write((done ? i : 'refused') + '\\n');
    }
    await store.close();
  })();
`;

function startWriter(folder: string, round: string, limit: number): Promise<TestChild> {
  return startChild(process.execPath, ['-e', WRITER, folder, round, String(limit)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Kills the writer once it has said that it has written so many; resolves to the last number it said. */
async function killAfter(writer: TestChild, writes: number): Promise<number> {
  let last = -1;
  await new Promise<void>((enough) => {
    createInterface({ input: writer.process.stdout! }).on('line', (line) => {
      last = Number(line);
      if (last + 1 >= writes) enough();
    });
    void writer.exited.then(() => enough());
  });
  expect(await writer.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
  return last;
}

describe('the embedded store', () => {
  it('keeps every acknowledged write across 20 kills in the middle of writing', async () => {
    const folder = scratchFolder('killed');
    for (let round = 0; round < 20; round++) {
      // Kills at other moments in each round; the writes go on between the last line read and the kill.
      const acknowledged = await killAfter(
        await startWriter(folder, `r${round}`, 1_000_000),
        1 + ((round * 7) % 40),
      );
      expect(acknowledged).toBeGreaterThanOrEqual(0);
      const store = await openTestStore({ DATA_DIR: folder });
      const listed = new Set(await store.documents.indexPage('written', `r${round}-`, 1_000_000));
      for (let i = 0; i <= acknowledged; i++) {
        const member = `r${round}-${i}`;
        expect({
          member,
          text: await store.documents.get(`tenant:${member}`),
          listed: listed.has(member),
        }).toEqual({ member, text: `text of ${member}`, listed: true });
      }
      await store.close();
    }
    // What the first rounds wrote has not been lost by the later ones.
    const store = await openTestStore({ DATA_DIR: folder });
    for (let round = 0; round < 20; round++) {
      expect(await store.documents.get(`tenant:r${round}-0`)).toBe(`text of r${round}-0`);
    }
  }, 60_000);

  it('has, after a kill, what the admin API of a gateway has acknowledged', async () => {
    const DATA_DIR = scratchFolder('gateway');
    const first = await startProcess({ env: { DATA_DIR, ADMIN_TOKEN } });
    const acknowledged: string[] = [];
    const clients = Array.from({ length: 4 }, async (_unused, client) => {
      // Until the kill; bounded, should that not come.
      for (let i = 0; i < 5000; i++) {
        const id = `t${client}-${i}`;
        const document = {
          id,
          name: id,
          upstreamBaseUrl: 'http://127.0.0.1:9',
          allowedRoutes: [{ path: '/' }],
        };
        if ((await admin(first, 'POST', '/admin/tenants', document)).status !== 201) return;
        acknowledged.push(id);
      }
    });
    await waitFor('some tenants', () => acknowledged.length >= 40);
    await first.kill9();
    await Promise.all(clients);
    const second = await startProcess({ env: { DATA_DIR, ADMIN_TOKEN } });
    const statuses = await Promise.all(
      acknowledged.map((id) => admin(second, 'GET', `/admin/tenants/${id}`)),
    );
    expect(tally(statuses)).toEqual({ 200: acknowledged.length });
    expect(await second.stop()).toBe(0);
  }, 20_000);

  it('is made anew by six processes at once, and each finds what all have written', async () => {
    const folder = join(scratchFolder('together'), 'not', 'there yet');
    const writers = await Promise.all(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => startWriter(folder, name, 20)),
    );
    for (const writer of writers) expect(await writer.exited).toEqual({ code: 0, signal: null });
    const store = await openTestStore({ DATA_DIR: folder });
    expect(await store.documents.indexPage('written', '', 1000)).toHaveLength(120);
  }, 30_000);

  it('is readable by its owner only', async () => {
    const folder = join(scratchFolder('modes'), 'data');
    const store = await openTestStore({ DATA_DIR: folder });
    await store.documents.put('tenant:a', 'b', 'any');
    expect(mode(folder)).toBe('700');
    const files = readdirSync(folder).map((name) => [name, mode(join(folder, name))]);
    expect(files).toEqual([
      ['gatehouse.db', '600'],
      ['gatehouse.db-shm', '600'],
      ['gatehouse.db-wal', '600'],
    ]);
  });

  it.each<[what: string, spoil: (folder: string) => void, reason: RegExp]>([
    [
      'is no database',
      (folder) => writeFileSync(join(folder, 'gatehouse.db'), 'no database at all, '.repeat(500)),
      /gatehouse\.db cannot be opened: file is not a database/,
    ],
    ['is a folder', (folder) => mkdirSync(join(folder, 'gatehouse.db')), /gatehouse\.db cannot be opened: /],
  ])('says which file it cannot use when that %s', async (_what, spoil, reason) => {
    const folder = scratchFolder('spoiled');
    spoil(folder);
    const failure = await openTestStore({ DATA_DIR: folder }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StoreUnusableError);
    expect((failure as Error).message).toMatch(reason);
  });

  it('says so when its folder cannot be made', async () => {
    const file = join(scratchFolder('spoiled'), 'file');
    writeFileSync(file, '');
    const failure = await openTestStore({ DATA_DIR: join(file, 'data') }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StoreUnusableError);
    expect((failure as Error).message).toContain(`DATA_DIR ${join(file, 'data')} cannot be used`);
  });

  it('is away, and says why, while another program holds its file; reading goes on', async () => {
    const folder = scratchFolder('held');
    const store = await openTestStore({ DATA_DIR: folder });
    await store.documents.put('tenant:a', 'before', 'any');
    const other = new Database(join(folder, 'gatehouse.db'));
    other.exec('BEGIN IMMEDIATE');
    await expect(store.documents.put('tenant:a', 'after', 'any')).rejects.toThrow(StoreUnavailableError);
    expect(await store.documents.get('tenant:a')).toBe('before');
    expect(store.logs).toContainEqual(
      expect.objectContaining({
        level: 'error',
        file: join(folder, 'gatehouse.db'),
        reason: 'database is locked',
      }),
    );
    other.exec('ROLLBACK');
    other.close();
    expect(await store.documents.put('tenant:a', 'after', 'any')).toBe(true);
  });
});

function mode(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}
