import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { GatewayConfig } from '#libs/config';
import type { Logger } from '#libs/logging';
import { StoreUnavailableError, keys, type Documents, type Store } from '#libs/store';
import { Keeping } from './keeping';
import { Remembered } from './remembered';
import { SnapshotFile, type Snapshot } from './snapshot-file';

type Settings = Pick<GatewayConfig, 'redis' | 'configSnapshot' | 'dataDir' | 'staleConfigMaxAgeMs'>;

/**
 * The same store, which remembers on disk what was read of the configuration, and until Redis has been reached for the first
 * time answers from what an earlier process has remembered, for as long as that may be served. What was not remembered stays
 * unknown. The store itself where it needs no such thing.
 */
export function recalling(store: Store, settings: Settings, logger: Logger): Store {
  const { redis, configSnapshot, dataDir, staleConfigMaxAgeMs } = settings;
  if (!redis || !configSnapshot || staleConfigMaxAgeMs === 0) return store;
  const origin = hash(
    'sha256',
    JSON.stringify([redis.topology, redis.nodes, redis.db, redis.sentinelMaster]),
  );
  const file = new SnapshotFile(join(dataDir, 'config-snapshot.ndjson'), origin);
  const snapshot = file.read();
  const remembered = new Remembered();
  for (const [key, text] of snapshot?.texts ?? []) remembered.note(key, text ?? undefined);
  const keeping = new Keeping(store, remembered, file, logger);
  const recalledAt = (): number | undefined => {
    if (!snapshot || store.state !== 'starting') return undefined;
    const age = Date.now() - snapshot.vouchedAt;
    return age < staleConfigMaxAgeMs ? snapshot.vouchedAt : undefined;
  };
  if (recalledAt() !== undefined) announce(snapshot, store, logger);
  keeping.start();
  return Object.create(store, {
    documents: { value: new RecallingDocuments(store.documents, remembered, recalledAt), enumerable: true },
    fleet: { value: recalledFleet(store, snapshot) },
    recalledAt: { get: recalledAt },
    close: {
      value: async () => {
        await keeping.stop();
        await store.close();
      },
    },
  }) as Store;
}

/** Only where Redis is not there at once: it usually is. */
function announce(snapshot: Snapshot | undefined, store: Store, logger: Logger): void {
  const facts = { documents: snapshot?.texts.length, asOf: new Date(snapshot?.vouchedAt ?? 0).toISOString() };
  const timer = setTimeout(() => {
    if (store.state === 'starting')
      logger.warn(facts, 'Redis has not been reached: what was served before is served from disk');
  }, 1000).unref();
  void store.ready().then(() => clearTimeout(timer));
}

/** Nobody can be counted yet: each takes the share that it had. */
function recalledFleet(store: Store, snapshot: Snapshot | undefined): Store['fleet'] {
  const { fleet } = store;
  return Object.create(fleet, {
    size: {
      get: () => (store.state === 'starting' ? Math.max(fleet.size, snapshot?.fleetSize ?? 1) : fleet.size),
    },
    join: { value: () => fleet.join() },
  }) as Store['fleet'];
}

class RecallingDocuments implements Documents {
  constructor(
    private readonly documents: Documents,
    private readonly remembered: Remembered,
    private readonly recalledAt: () => number | undefined,
  ) {}

  async get(key: string): Promise<string | undefined> {
    const followed = key.startsWith(keys.CONFIG_PREFIX);
    if (followed && this.recalledAt() !== undefined) {
      const text = this.remembered.get(key);
      if (text === undefined) throw new StoreUnavailableError();
      return text ?? undefined;
    }
    const text = await this.documents.get(key);
    if (followed) this.remembered.note(key, text);
    return text;
  }

  put(...args: Parameters<Documents['put']>): Promise<boolean> {
    return this.documents.put(...args);
  }

  delete(...args: Parameters<Documents['delete']>): Promise<boolean> {
    return this.documents.delete(...args);
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

  /** Who publishes something is seen by the documents. */
  async indexPage(index: string, after: string, limit: number): Promise<string[]> {
    if (index !== keys.PUBLICATION_INDEX || this.recalledAt() === undefined)
      return this.documents.indexPage(index, after, limit);
    const publishers = this.remembered.keys.filter((key) => this.remembered.get(key) !== null);
    const ids = publishers.flatMap((key) => keys.publisherOf(key) ?? []);
    return ids
      .filter((id) => id > after)
      .sort()
      .slice(0, limit);
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
}
