import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Buckets, ChangeFeed, Counters, Documents, Fleet, Store, StoreState } from '../store';
import { EmbeddedBuckets } from './embedded-buckets';
import { EmbeddedDocuments } from './embedded-documents';
import { SqliteFile } from './sqlite-file';

/**
 * The store of a single process without a server: documents and counters in one SQLite file, buckets in memory.
 * Survives kill -9; rate limits start anew with the process.
 */
export class EmbeddedStore implements Store {
  readonly kind = 'embedded';
  readonly state: StoreState = 'ready';
  readonly documents: Documents;
  readonly counters: Counters;
  readonly buckets: Buckets = new EmbeddedBuckets(Date.now);
  readonly changes: ChangeFeed;
  readonly fleet: Fleet = { size: 1, join: () => Promise.resolve() };
  private readonly file: SqliteFile;

  /** @param folder created if missing, with access for the owner only. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.file = new SqliteFile(join(folder, 'gatehouse.db'));
    this.documents = new EmbeddedDocuments(this.file);
    this.counters = this.file;
    this.changes = this.file.changes;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.file.close();
    return Promise.resolve();
  }
}
