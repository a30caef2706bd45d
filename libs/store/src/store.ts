import { createHash } from 'node:crypto';

/** What a conditional write demands of the stored document: a version, its absence, or nothing. */
export type Expected = { version: string } | 'absent' | 'any';

/** Documents are text under a key. Their version is a digest, so that those written by other programs have one too. */
export interface Documents {
  get(key: string): Promise<string | undefined>;
  /** Writes if the condition holds and announces the change; false means it does not hold. */
  put(key: string, value: string, expected: Expected): Promise<boolean>;
  /** Deletes if the condition holds and announces the change; false means it does not hold or nothing was there. */
  delete(key: string, expected: Expected): Promise<boolean>;
  /** All document keys with a prefix, in no order; for repair work, not for requests. */
  scan(prefix: string): AsyncIterable<string>;
  indexAdd(index: string, member: string): Promise<void>;
  indexRemove(index: string, member: string): Promise<void>;
  /** Up to `limit` members greater than `after`, in byte order. */
  indexPage(index: string, after: string, limit: number): Promise<string[]>;
  indexDrop(index: string): Promise<void>;
}

/** A token bucket with continuous refill: `capacity` tokens, refilled evenly over `windowMs`. */
export interface Bucket {
  readonly key: string;
  readonly capacity: number;
  readonly windowMs: number;
  /** What this process last heard of the bucket, for when the store is away; `at` in milliseconds since the epoch. */
  lastSeen?: { remaining: number; at: number };
}

export interface BucketVerdict {
  readonly allowed: boolean;
  /** Whole tokens left after the call. */
  readonly remaining: number;
  /** Milliseconds until a token is there; 0 when one is. */
  readonly retryAfterMs: number;
}

export interface Buckets {
  /**
   * Takes one token on the store's clock.
   * @param debt tokens already given out while the store could not be asked; they are taken first.
   */
  take(bucket: Bucket, debt?: number): Promise<BucketVerdict> | BucketVerdict;
  /** The state of the bucket, touching nothing. */
  peek(bucket: Bucket): Promise<BucketVerdict> | BucketVerdict;
}

export interface Counters {
  /** Adds to counters of a hash. */
  add(key: string, amounts: Readonly<Record<string, number>>): Promise<void>;
  /**
   * Adds to one counter of many hashes, in one step where the store allows it; a few hundred at a time.
   * @returns the keys of those it could not add to, while it could add to others.
   */
  addToMany(field: string, amounts: ReadonlyMap<string, number>): Promise<readonly string[]>;
  read(key: string): Promise<Record<string, number>>;
  drop(key: string): Promise<void>;
}

/**
 * The feed of changed keys. A cache entry may be trusted for `trustMs` after it was read, provided that
 * `epoch` is still the one it was read in.
 */
export interface ChangeFeed {
  /** Grows whenever a change may have been missed; entries of an older epoch must be read again. */
  readonly epoch: number;
  /** Infinity while every change is known to arrive, whoever writes; less when the feed cannot promise that. */
  readonly trustMs: number;
  /** Age in milliseconds of the last proof that the feed is complete: the bound on staleness now. */
  readonly ageMs: number;
  /** `key` undefined: anything under the configuration prefix may have changed. */
  subscribe(listener: (key: string | undefined) => void): void;
}

/** The data plane processes that share this store. */
export interface Fleet {
  /** Live processes as last seen, this one included; at least 1. */
  readonly size: number;
  join(): Promise<void>;
}

/** `starting`: never connected yet. `away`: was there, is not now. */
export type StoreState = 'starting' | 'ready' | 'away';

/** The port. Every method rejects with StoreUnavailableError when the store cannot be reached in time. */
export interface Store {
  readonly kind: 'redis' | 'embedded';
  readonly state: StoreState;
  readonly documents: Documents;
  readonly buckets: Buckets;
  readonly counters: Counters;
  readonly changes: ChangeFeed;
  readonly fleet: Fleet;
  /** Resolves once the store has been reached; keeps trying until then, or until `close`. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** The store cannot be reached or did not answer in time. Whether the command took effect is unknown. */
export class StoreUnavailableError extends Error {
  constructor(cause?: unknown) {
    super('the state store cannot be reached', { cause });
    this.name = 'StoreUnavailableError';
  }
}

/** The store cannot be opened, now or by trying again; the message names what stands in the way. */
export class StoreUnusableError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StoreUnusableError';
  }
}

/** Version of a document: hex SHA-1 of its text, because Redis can compute that next to the data (`redis.sha1hex`). */
export function versionOf(value: string): string {
  return createHash('sha1').update(value).digest('hex');
}
