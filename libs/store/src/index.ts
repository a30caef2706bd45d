/**
 * store: the state that outlives a process or is shared between processes, behind one port with two
 * implementations: Redis (shared, for production) and the embedded store (SQLite and memory, one process).
 * Owns documents with compare-and-set, ordered indexes, token buckets, ledgers, circuit breakers, the list of
 * live replicas, and the feed of changes that keeps caches honest. All key names are in `keys.ts`.
 * Not here: what a document means. That is `tenants`.
 */
export type {
  Acknowledgement,
  Breakers,
  BreakerStep,
  BreakerTerms,
  BreakerView,
  Bucket,
  Budget,
  ChangeFeed,
  Charge,
  Claim,
  ClaimVerdict,
  Documents,
  Expected,
  Fleet,
  LedgerBatch,
  LedgerDump,
  Ledgers,
  LeaseGrant,
  LeaseRequest,
  Limit,
  LimitVerdict,
  Limits,
  Nonces,
  SharedPlace,
  SharedResponses,
  Store,
  StoreState,
} from './store';
export type { NoteBoard, Notes, RecentBoard, RecentEntry, Recents } from './notes';
export { isBudget, LEASE_TTL_MS, StoreUnavailableError, StoreUnusableError, versionOf } from './store';
export * as keys from './keys';
export { charge, draw, freshLevel, hasRoom, take, peek, verdict, type LimitLevel } from './token-bucket';
export { freshBreaker, stepBreaker, viewOf, type BreakerRecord } from './breaker-record';
export { countMembers } from './count-members';
export { openStore } from './open-store';
export { DocumentsOver, storeOver } from './over';
