import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '#libs/logging';
import type { Notes, Recents } from '../notes';
import {
  StoreUnusableError,
  type Breakers,
  type ChangeFeed,
  type Documents,
  type Fleet,
  type Ledgers,
  type Limits,
  type Nonces,
  type Store,
  type StoreState,
} from '../store';
import { EmbeddedBreakers } from './embedded-breakers';
import { EmbeddedDocuments } from './embedded-documents';
import { EmbeddedLimits } from './embedded-limits';
import { EmbeddedLedgers } from './embedded-ledgers';
import { EmbeddedNonces } from './embedded-nonces';
import { EmbeddedNotes } from './embedded-notes';
import { EmbeddedRecents } from './embedded-recents';
import { NotesFile } from './notes-file';
import { SqliteFile } from './sqlite-file';

/**
 * The store of a single process without a server: documents and ledgers in one SQLite file, buckets in memory.
 * Survives kill -9; rate limits start anew with the process.
 */
export class EmbeddedStore implements Store {
  readonly kind = 'embedded';
  readonly state: StoreState = 'ready';
  readonly documents: Documents;
  readonly ledgers: Ledgers;
  readonly breakers: Breakers;
  readonly limits: Limits = new EmbeddedLimits(Date.now);
  readonly nonces: Nonces = new EmbeddedNonces(Date.now);
  readonly notes: Notes;
  readonly recents: Recents;
  readonly changes: ChangeFeed;
  readonly fleet: Fleet;
  private readonly file: SqliteFile;
  private readonly notesFile: NotesFile;

  /**
   * @param folder created if missing, with access for the owner only.
   * @throws StoreUnusableError
   */
  constructor(folder: string, logger: Logger) {
    makeFolder(folder);
    this.file = new SqliteFile(join(folder, 'gatehouse.db'), logger);
    this.documents = new EmbeddedDocuments(this.file);
    this.ledgers = new EmbeddedLedgers(this.file, Date.now);
    this.breakers = new EmbeddedBreakers(this.file, Date.now);
    this.notesFile = new NotesFile(join(folder, 'notes.db'));
    this.notes = new EmbeddedNotes(this.notesFile, Date.now);
    this.recents = new EmbeddedRecents(this.notesFile);
    this.changes = this.file.changes;
    this.fleet = this.file.fleet;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.file.close();
    this.notesFile.close();
    return Promise.resolve();
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StoreUnusableError(`DATA_DIR ${folder} cannot be used: ${(error as Error).message}`, error);
  }
}
