import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { GatewayConfig } from '#libs/config';
import type { Logger } from '#libs/logging';
import {
  DocumentsOver,
  StoreUnavailableError,
  keys,
  storeOver,
  type Documents,
  type Store,
} from '#libs/store';
import { Keeping } from './keeping';
import { Remembered } from './remembered';
import { SnapshotFile, type Snapshot } from './snapshot-file';

type Settings = Pick<GatewayConfig, 'redis' | 'configSnapshot' | 'dataDir' | 'staleConfigMaxAgeMs'>;

/**
 * The same store, which remembers on disk what was read of the configuration, and until Redis has been reached for the first
 * time answers from what an earlier process has remembered, for as long as that may be served. What was not remembered stays
 * unknown. The store itself where it needs no such thing.
 * @param watched makes what is called with the outcome of every write.
 */
export function recalling(
  store: Store,
  settings: Settings,
  logger: Logger,
  watched: () => (outcome: 'written' | 'failed') => void,
): Store {
  const { redis, configSnapshot, dataDir, staleConfigMaxAgeMs } = settings;
  if (!redis || !configSnapshot || staleConfigMaxAgeMs === 0) return store;
  const origin = hash(
    'sha256',
    JSON.stringify([redis.topology, redis.nodes, redis.db, redis.sentinelMaster]),
  );
  const file = new SnapshotFile(join(dataDir, 'config-snapshot.ndjson'), origin);
  const snapshot = file.read();
  const remembered = new Remembered();
  for (const [key, text] of snapshot?.texts ?? []) remembered.keep(key, text);
  const keeping = new Keeping(store, remembered, file, logger, watched());
  const recalledAt = (): number | undefined => {
    if (!snapshot || store.state !== 'starting') return undefined;
    return isRecent(snapshot.vouchedAt, staleConfigMaxAgeMs) ? snapshot.vouchedAt : undefined;
  };
  if (recalledAt() !== undefined) announce(snapshot, store, logger);
  keeping.start();
  return storeOver(store, {
    documents: new RecallingDocuments(store.documents, remembered, recalledAt),
    fleet: recalledFleet(store, snapshot),
    get recalledAt() {
      return recalledAt();
    },
    async close() {
      await keeping.stop();
      await store.close();
    },
  });
}

/** By so much a clock may have been put back without anything being amiss. */
const CLOCK_SLACK_MS = 60_000;

/**
 * Whether something is not too old to be served. What seems to be of a time to come is of no known age: the clock of this
 * machine is wrong (or was), and what has been revoked since would open everything until it has caught up.
 */
export function isRecent(vouchedAt: number, maxAgeMs: number, now = Date.now()): boolean {
  const age = now - vouchedAt;
  return age < maxAgeMs && age > -CLOCK_SLACK_MS;
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

class RecallingDocuments extends DocumentsOver {
  constructor(
    documents: Documents,
    private readonly remembered: Remembered,
    private readonly recalledAt: () => number | undefined,
  ) {
    super(documents);
  }

  override async get(key: string): Promise<string | undefined> {
    const followed = key.startsWith(keys.CONFIG_PREFIX);
    if (followed && this.recalledAt() !== undefined) {
      const text = this.remembered.get(key);
      if (text === undefined) throw new StoreUnavailableError();
      return text ?? undefined;
    }
    const text = await super.get(key);
    if (followed) this.remembered.note(key, text);
    return text;
  }

  /** Who publishes something is seen by the documents. */
  override async indexPage(index: string, after: string, limit: number): Promise<string[]> {
    if (index !== keys.PUBLICATION_INDEX || this.recalledAt() === undefined)
      return super.indexPage(index, after, limit);
    const publishers = this.remembered.keys.filter((key) => this.remembered.get(key) !== null);
    const ids = publishers.flatMap((key) => keys.publisherOf(key) ?? []);
    return ids
      .filter((id) => id > after)
      .sort()
      .slice(0, limit);
  }
}
