import { AsyncLocalStorage } from 'node:async_hooks';
import { DocumentsOver, storeOver, type Documents, type Expected, type Store } from '#libs/store';
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
  return storeOver(store, { documents: new RecordedDocuments(store.documents, recorder) });
}

class RecordedDocuments extends DocumentsOver {
  constructor(
    documents: Documents,
    private readonly recorder: ChangeRecorder,
  ) {
    super(documents);
  }

  override put(key: string, value: string, expected: Expected): Promise<boolean> {
    return this.write(key, value, () => super.put(key, value, expected));
  }

  override delete(key: string, expected: Expected): Promise<boolean> {
    return this.write(key, null, () => super.delete(key, expected));
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
      return (await this.get(key)) ?? null;
    } catch (error) {
      // Another program keeps a list or a hash there: nothing that could be brought back.
      if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return null;
      throw error;
    }
  }
}
