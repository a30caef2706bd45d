import type Database from 'libsql';
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Logger } from '#libs/logging';
import { StoreUnavailableError, StoreUnusableError, type ChangeFeed } from '../store';
import { EmbeddedFleet } from './embedded-fleet';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS documents (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS indexes (name TEXT, member TEXT, PRIMARY KEY (name, member)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ledger_amounts (ledger TEXT, name TEXT, field TEXT, amount INTEGER NOT NULL CHECK (typeof(amount) = 'integer'), PRIMARY KEY (ledger, name, field)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ledger_expiries (ledger TEXT, name TEXT, at INTEGER NOT NULL, PRIMARY KEY (ledger, name)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS ledger_expiries_by_time ON ledger_expiries (at);
  CREATE TABLE IF NOT EXISTS ledger_cycles (ledger TEXT PRIMARY KEY, cycle INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ledger_sources (ledger TEXT, source TEXT, seq INTEGER NOT NULL, applied_at INTEGER NOT NULL, PRIMARY KEY (ledger, source)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS breakers (key TEXT PRIMARY KEY, record TEXT NOT NULL, forget_at INTEGER NOT NULL) WITHOUT ROWID;
`;

/** How often the file is checked for changes by another process (a `PRAGMA`, some microseconds). */
const FOREIGN_WRITE_POLL_MS = 100;
/** How long a write waits for one of another process. Everything else waits with it, so it must not be long. */
const BUSY_TIMEOUT_MS = 2000;
/** What the disk or another process may refuse, and a mistake of ours may not. */
const OUTSIDE_CAUSES = /^SQLITE_(?:BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|PERM|CORRUPT|NOTADB)/;
/** A log line per refused statement would bury the ones that matter. */
const COMPLAINT_INTERVAL_MS = 5000;

/** The SQLite file with its schema, and the feed of changes made through it or by others. */
export class SqliteFile {
  readonly database: Database.Database;
  readonly changes: ChangeFeed;
  readonly fleet: EmbeddedFleet;
  private readonly listeners: Array<(key: string | undefined) => void> = [];
  private readonly poll: NodeJS.Timeout;
  private epoch = 0;
  private dataVersion = 0;
  private lastComplaint = 0;

  /** @throws StoreUnusableError */
  constructor(
    private readonly path: string,
    private readonly logger: Logger,
  ) {
    this.database = openDatabase(path, SCHEMA);
    this.fleet = new EmbeddedFleet(join(dirname(path), 'processes'), Date.now());
    this.dataVersion = this.readDataVersion();
    const epoch = (): number => this.epoch;
    this.changes = {
      get epoch() {
        return epoch();
      },
      trustMs: Infinity,
      ageMs: 0,
      subscribe: (listener) => void this.listeners.push(listener),
      acknowledged: async (timeoutMs) => {
        this.noticeForeignWrites();
        return this.fleet.acknowledged(timeoutMs);
      },
    };
    this.poll = setInterval(() => this.noticeForeignWrites(), FOREIGN_WRITE_POLL_MS).unref();
  }

  /**
   * Runs statements, at once.
   * @throws StoreUnavailableError when the file cannot be used for a reason that may pass
   */
  attempt<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve) => resolve(work())).catch((error: Error & { code?: string }) => {
      if (!OUTSIDE_CAUSES.test(error.code ?? '')) throw error;
      this.complain(error.message);
      throw new StoreUnavailableError(error);
    });
  }

  /** IMMEDIATE takes the write lock before anything is read, so that another process cannot write in between. */
  transaction<T>(work: () => T): Promise<T> {
    const { database } = this;
    return this.attempt(() => {
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        database.exec('COMMIT');
        return result;
      } catch (error) {
        // A full disk has ended it already. libsql's own transaction() fails at that and hides what was wrong, and a
        // batch that may be repeated would look like one that may not.
        if (database.inTransaction) database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  announce(key: string): void {
    for (const listener of this.listeners) listener(key);
  }

  close(): void {
    clearInterval(this.poll);
    this.fleet.leave();
    this.database.close();
  }

  /** `data_version` changes when, and only when, another connection has committed. */
  private noticeForeignWrites(): void {
    const now = Date.now();
    const version = this.readDataVersion();
    if (version !== this.dataVersion) {
      this.dataVersion = version;
      this.epoch += 1;
      for (const listener of this.listeners) listener(undefined);
    }
    this.fleet.note(now);
  }

  private readDataVersion(): number {
    try {
      const [row] = this.database.prepare('PRAGMA data_version').all() as Array<{ data_version: number }>;
      return row?.data_version ?? 0;
    } catch (error) {
      this.complain((error as Error).message);
      // Whoever cannot look must assume that something has changed.
      return NaN;
    }
  }

  private complain(reason: string): void {
    const now = Date.now();
    if (now - this.lastComplaint < COMPLAINT_INTERVAL_MS) return;
    this.lastComplaint = now;
    this.logger.error({ file: this.path, reason }, 'the embedded store cannot be used, trying again');
  }
}

/**
 * @param synchronous FULL survives a power cut, OFF may lose what was written last.
 * @throws StoreUnusableError
 */
export function openDatabase(
  path: string,
  schema: string,
  synchronous: 'FULL' | 'OFF' = 'FULL',
): Database.Database {
  try {
    const database = new (loadDriver())(path);
    chmodSync(path, 0o600);
    // First, for another process may be opening the file at this moment.
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    database.exec('PRAGMA journal_mode = WAL');
    // Writes are rare and are promises to an operator: they survive a power cut, not only a crash.
    database.exec(`PRAGMA synchronous = ${synchronous}`);
    database.exec(schema);
    return database;
  } catch (error) {
    throw new StoreUnusableError(
      `the embedded store ${path} cannot be opened: ${(error as Error).message}`,
      error,
    );
  }
}

/** Loaded only where it is used: its native library takes 5 MB that a gateway on Redis need not spend. */
function loadDriver(): typeof Database {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a constructor cannot await an import
  return require('libsql') as typeof Database;
}
