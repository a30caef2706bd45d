import type Database from 'libsql';
import { existsSync } from 'node:fs';
import { StoreUnavailableError } from '../store';
import { openDatabase } from './sqlite-file';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS notes (board TEXT, name TEXT, text TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (board, name)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS notes_by_time ON notes (board, until);
  CREATE TABLE IF NOT EXISTS recents (board TEXT, id TEXT, owner TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (board, id)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS recents_of_owner ON recents (board, owner, id);
`;

/**
 * A SQLite file beside that of the documents, for what comes and goes every second: a write there would be followed by
 * every process as a change. Opened when it is first needed. What a power cut takes of it is not missed.
 */
export class NotesFile {
  private database: Database.Database | undefined;

  constructor(private readonly path: string) {}

  /** Whether somebody has ever left something here; looked for without making anything. */
  get isThere(): boolean {
    return this.database !== undefined || existsSync(this.path);
  }

  /**
   * Runs statements, at once.
   * @throws StoreUnavailableError
   */
  attempt<T>(work: (database: Database.Database) => T): Promise<T> {
    return new Promise<T>((resolve) => resolve(work(this.open()))).catch((error: unknown) => {
      throw new StoreUnavailableError(error);
    });
  }

  /** The same, all of it or nothing. */
  transaction<T>(work: (database: Database.Database) => T): Promise<T> {
    return this.attempt((database) => {
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = work(database);
        database.exec('COMMIT');
        return result;
      } catch (error) {
        if (database.inTransaction) database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  close(): void {
    this.database?.close();
    this.database = undefined;
  }

  private open(): Database.Database {
    return (this.database ??= openDatabase(this.path, SCHEMA, 'OFF'));
  }
}
