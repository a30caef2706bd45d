/**
 * store: the state that outlives a process or is shared between processes, behind one port with two
 * implementations: Redis (shared, for production) and the embedded store (SQLite and memory, one process).
 * Owns documents with compare-and-set, ordered indexes, token buckets, counters, the list of live replicas,
 * and the feed of changes that keeps caches honest. All key names are in `keys.ts`.
 * Not here: what a document means. That is `tenants`.
 */
export type {
  Bucket,
  BucketVerdict,
  Buckets,
  ChangeFeed,
  Counters,
  Documents,
  Expected,
  Fleet,
  Store,
  StoreState,
} from './store';
export { StoreUnavailableError, StoreUnusableError, versionOf } from './store';
export * as keys from './keys';
export { fullBucket, take, peek, type BucketLevel } from './token-bucket';
export { openStore } from './open-store';
