import type Database from 'libsql';
import { chmodSync } from 'node:fs';
import type { ChangeFeed, Counters } from '../store';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS documents (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS indexes (name TEXT, member TEXT, PRIMARY KEY (name, member)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counters (key TEXT, field TEXT, amount INTEGER NOT NULL, PRIMARY KEY (key, field)) WITHOUT ROWID;
`;

/** How often the file is checked for changes by another process (a `PRAGMA`, some microseconds). */
const FOREIGN_WRITE_POLL_MS = 100;

/** The SQLite file with its schema, its counters, and the feed of changes made through it or by others. */
export class SqliteFile implements Counters {
  readonly database: Database.Database;
  readonly changes: ChangeFeed;
  private readonly listeners: Array<(key: string | undefined) => void> = [];
  private readonly poll: NodeJS.Timeout;
  private epoch = 0;
  private dataVersion = 0;

  constructor(path: string) {
    this.database = new (loadDriver())(path);
    chmodSync(path, 0o600);
    this.database.exec('PRAGMA journal_mode = WAL');
    // Writes are rare and are promises to an operator: they survive a power cut, not only a crash.
    this.database.exec('PRAGMA synchronous = FULL');
    this.database.exec('PRAGMA busy_timeout = 5000');
    this.database.exec(SCHEMA);
    this.dataVersion = this.readDataVersion();
    const epoch = (): number => this.epoch;
    this.changes = {
      get epoch() {
        return epoch();
      },
      trustMs: Infinity,
      ageMs: 0,
      subscribe: (listener) => void this.listeners.push(listener),
    };
    this.poll = setInterval(() => this.noticeForeignWrites(), FOREIGN_WRITE_POLL_MS).unref();
  }

  announce(key: string): void {
    for (const listener of this.listeners) listener(key);
  }

  add(key: string, amounts: Readonly<Record<string, number>>): Promise<void> {
    return this.increase(Object.entries(amounts).map(([field, amount]) => [key, field, amount]));
  }

  addToMany(field: string, amounts: ReadonlyMap<string, number>): Promise<void> {
    return this.increase([...amounts].map(([key, amount]) => [key, field, amount]));
  }

  read(key: string): Promise<Record<string, number>> {
    const rows = this.database.prepare('SELECT field, amount FROM counters WHERE key = ?').all(key);
    const pairs = (rows as Array<{ field: string; amount: number }>).map((row) => [row.field, row.amount]);
    return Promise.resolve(Object.fromEntries(pairs) as Record<string, number>);
  }

  drop(key: string): Promise<void> {
    this.database.prepare('DELETE FROM counters WHERE key = ?').run(key);
    return Promise.resolve();
  }

  private increase(
    rows: ReadonlyArray<readonly [key: string, field: string, amount: number]>,
  ): Promise<void> {
    const statement = this.database.prepare(
      'INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount',
    );
    this.database.transaction(() => {
      for (const row of rows) statement.run(...row);
    })();
    return Promise.resolve();
  }

  close(): void {
    clearInterval(this.poll);
    this.database.close();
  }

  /** `data_version` changes when, and only when, another connection has committed. */
  private noticeForeignWrites(): void {
    const version = this.readDataVersion();
    if (version === this.dataVersion) return;
    this.dataVersion = version;
    this.epoch += 1;
    for (const listener of this.listeners) listener(undefined);
  }

  private readDataVersion(): number {
    const [row] = this.database.prepare('PRAGMA data_version').all() as Array<{ data_version: number }>;
    return row?.data_version ?? 0;
  }
}

/** Loaded only where it is used: its native library takes 5 MB that a gateway on Redis need not spend. */
function loadDriver(): typeof Database {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a constructor cannot await an import
  return require('libsql') as typeof Database;
}
