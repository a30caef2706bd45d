import { AsyncLocalStorage } from 'node:async_hooks';
import type { Documents, Expected, Store } from '#libs/store';
import { configObjectOf } from './config-object';

/** A document of the configuration before and after; null where there is none. */
export interface Change {
  readonly key: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Collects what is changed while something is done, by it and by nothing else that goes on at the same time. */
export class ChangeRecorder {
  private readonly current = new AsyncLocalStorage<Map<string, Change>>();

  /** Runs `work` and notes what it changes in `changes`, by key. */
  during<T>(changes: Map<string, Change>, work: () => Promise<T>): Promise<T> {
    return this.current.run(changes, work);
  }

  /** Undefined while nobody wants to know. */
  get changes(): Map<string, Change> | undefined {
    return this.current.getStore();
  }
}

/** The same store, whose documents tell the recorder what is written to them. Everything else is the store's. */
export function recordedStore(store: Store, recorder: ChangeRecorder): Store {
  const documents = new RecordedDocuments(store.documents, recorder);
  return Object.create(store, { documents: { value: documents, enumerable: true } }) as Store;
}

class RecordedDocuments implements Documents {
  constructor(
    private readonly documents: Documents,
    private readonly recorder: ChangeRecorder,
  ) {}

  get(key: string): Promise<string | undefined> {
    return this.documents.get(key);
  }

  put(key: string, value: string, expected: Expected): Promise<boolean> {
    return this.write(key, value, () => this.documents.put(key, value, expected));
  }

  delete(key: string, expected: Expected): Promise<boolean> {
    return this.write(key, null, () => this.documents.delete(key, expected));
  }

  scan(prefix: string): AsyncIterable<string> {
    return this.documents.scan(prefix);
  }

  indexAdd(index: string, member: string): Promise<void> {
    return this.documents.indexAdd(index, member);
  }

  indexRemove(index: string, member: string): Promise<void> {
    return this.documents.indexRemove(index, member);
  }

  indexPage(index: string, after: string, limit: number): Promise<string[]> {
    return this.documents.indexPage(index, after, limit);
  }

  indexPageBack(index: string, before: string, limit: number): Promise<string[]> {
    return this.documents.indexPageBack(index, before, limit);
  }

  indexSize(index: string): Promise<number> {
    return this.documents.indexSize(index);
  }

  indexDrop(index: string): Promise<void> {
    return this.documents.indexDrop(index);
  }

  indexes(): AsyncIterable<string> {
    return this.documents.indexes();
  }

  private async write(key: string, after: string | null, attempt: () => Promise<boolean>): Promise<boolean> {
    const { changes } = this.recorder;
    if (!changes || !configObjectOf(key, undefined)) return attempt();
    // What is there before may change until the write; a write on a condition then fails, and comes again.
    const before = await this.readable(key);
    const done = await attempt();
    if (!done || before === after) return done;
    const first = changes.get(key);
    changes.set(key, { key, before: first ? first.before : before, after });
    return done;
  }

  private async readable(key: string): Promise<string | null> {
    try {
      return (await this.documents.get(key)) ?? null;
    } catch (error) {
      // Another program keeps a list or a hash there: nothing that could be brought back.
      if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return null;
      throw error;
    }
  }
}
