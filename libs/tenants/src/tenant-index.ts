import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '#libs/logging';
import { keys, StoreUnavailableError, type Store } from '#libs/store';

/** How often a scan that is due, or was cut short, is tried. */
const SCAN_CHECK_MS = 1000;
/** A scan is followed by so many times its own length without one: a feed that breaks all the time must not cost more. */
const REST_PER_SCAN = 5;
/** Ids handled at once: enough to fill a pipeline, few enough not to hold up requests. */
const BATCH = 100;

/**
 * The ordered index of tenant ids, and that of those who publish. Documents are the truth and any program may write them, so the index follows
 * them: on every announced change, and by a scan whenever changes may have been missed.
 */
export class TenantIndex {
  private readonly changed = new Set<string>();
  /** Tenants whose publication has changed: another program may have written it without an entry. */
  private readonly publishers = new Set<string>();
  private settling = false;
  private scanning = false;
  private scannedEpoch: number | undefined;
  private restUntil = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly store: Store) {}

  add(id: string): Promise<void> {
    return this.store.documents.indexAdd(keys.TENANT_INDEX, id);
  }

  /** Up to `limit` ids greater than `after`. An id may have no document: see `settle`. */
  page(after: string, limit: number): Promise<string[]> {
    return this.store.documents.indexPage(keys.TENANT_INDEX, after, limit);
  }

  size(): Promise<number> {
    return this.store.documents.indexSize(keys.TENANT_INDEX);
  }

  /** Brings the entry of one tenant in line with its document. */
  async settle(id: string): Promise<void> {
    if (await hasTenant(this.store, id)) return this.add(id);
    await this.store.documents.indexRemove(keys.TENANT_INDEX, id);
    // The document may have been written since it was looked for, and must not stay without its entry.
    if (await hasTenant(this.store, id)) await this.add(id);
  }

  /** Brings the entry of one publication in line with its document. */
  private async settlePublication(tenantId: string): Promise<void> {
    const { documents } = this.store;
    const there = await hasDocument(this.store, keys.publication(tenantId));
    if (there) await documents.indexAdd(keys.PUBLICATION_INDEX, tenantId);
  }

  /** Follows what other programs write, until `close`. */
  follow(logger: Logger): void {
    this.store.changes.subscribe((key) => {
      if (!this.timer) return;
      if (key === undefined) void this.scanIfDue(logger);
      const publisher = key === undefined ? undefined : keys.publisherOf(key);
      const id = key === undefined ? undefined : keys.tenantIdOf(key);
      if (publisher !== undefined) this.publishers.add(publisher);
      else if (id !== undefined) this.changed.add(id);
      else return;
      void this.settleChanged(logger);
    });
    // A broken feed cannot announce that it is broken, so its epoch is looked at.
    this.timer = setInterval(() => void this.scanIfDue(logger), SCAN_CHECK_MS).unref();
    void this.scanIfDue(logger);
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** One run at a time; ids that change during it are taken up by it. */
  private async settleChanged(logger: Logger): Promise<void> {
    if (this.settling) return;
    this.settling = true;
    try {
      while (this.changed.size > 0 || this.publishers.size > 0) {
        const publishers = [...this.publishers];
        this.publishers.clear();
        for (const id of publishers) await this.settlePublication(id);
        const batch = [...this.changed].slice(0, BATCH);
        // Before they are looked at: a change that comes meanwhile must bring its id back.
        for (const id of batch) this.changed.delete(id);
        await Promise.all(batch.map((id) => this.settle(id)));
      }
    } catch (error) {
      // A store that went away comes back with a new epoch, and so with a scan.
      this.report(error, logger);
    } finally {
      this.settling = false;
    }
  }

  private async scanIfDue(logger: Logger): Promise<void> {
    const { epoch } = this.store.changes;
    const startedAt = Date.now();
    const due = this.store.state === 'ready' && epoch !== this.scannedEpoch && startedAt >= this.restUntil;
    if (this.scanning || !due) return;
    this.scanning = true;
    try {
      await this.adoptAll();
      this.scannedEpoch = epoch;
    } catch (error) {
      this.report(error, logger);
    } finally {
      this.scanning = false;
      this.restUntil = Date.now() + REST_PER_SCAN * (Date.now() - startedAt);
    }
  }

  /** Only adds: an entry whose document is gone is found when it is listed. */
  private async adoptAll(): Promise<void> {
    let batch: string[] = [];
    const flush = async (): Promise<void> => {
      await Promise.all(batch.map((id) => this.add(id)));
      batch = [];
      await nextTurn();
    };
    for await (const key of this.store.documents.scan(keys.CONFIG_PREFIX)) {
      if (!this.timer) return;
      const id = keys.tenantIdOf(key);
      const publisher = keys.publisherOf(key);
      if (id !== undefined) batch.push(id);
      if (publisher !== undefined) await this.settlePublication(publisher);
      if (batch.length === BATCH) await flush();
    }
    await flush();
  }

  private report(error: unknown, logger: Logger): void {
    if (error instanceof StoreUnavailableError || !this.timer) return;
    logger.warn({ category: 'admin', err: error }, 'the index of tenants could not be brought up to date');
  }
}

/** Whether a tenant has a document, be it one that cannot be served. Ids that would reach other keys have none. */
export async function hasTenant(store: Store, id: string): Promise<boolean> {
  if (keys.tenantIdOf(keys.tenant(id)) !== id) return false;
  return hasDocument(store, keys.tenant(id));
}

async function hasDocument(store: Store, key: string): Promise<boolean> {
  try {
    return (await store.documents.get(key)) !== undefined;
  } catch (error) {
    if (isWrongType(error)) return true;
    throw error;
  }
}

/** Somebody stored a list or a hash where a document belongs. */
export function isWrongType(error: unknown): error is Error {
  return error instanceof Error && error.message.startsWith('WRONGTYPE');
}
