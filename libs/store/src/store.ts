import { createHash } from 'node:crypto';
import type { Notes, Recents } from './notes';

/** What a conditional write demands of the stored document: a version, its absence, or nothing. */
export type Expected = { version: string } | 'absent' | 'any';

/** Documents are text under a key. Their version is a digest, so that those written by other programs have one too. */
export interface Documents {
  get(key: string): Promise<string | undefined>;
  /** The file that declares a document; absent where no store lies below files, undefined for what is the store's own. */
  declaredIn?(key: string): string | undefined;
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
  /** Up to `limit` members less than `before`, the greatest first; empty: from the greatest of all. */
  indexPageBack(index: string, before: string, limit: number): Promise<string[]>;
  indexSize(index: string): Promise<number>;
  indexDrop(index: string): Promise<void>;
  /** The names of all indexes, in no order; those of other things that look alike may be among them. */
  indexes(): AsyncIterable<string>;
}

/** A token bucket with continuous refill: `capacity` tokens, refilled evenly over `windowMs`. */
export interface Bucket {
  readonly key: string;
  readonly capacity: number;
  readonly windowMs: number;
  /** What the process that uses the limit keeps beside it; no business of the store. */
  local?: object;
}

/** An amount that is spent and never refills: the requests of a month, the money of a billing cycle. */
export interface Budget {
  readonly key: string;
  readonly capacity: number;
  /** What tells it from a bucket. */
  readonly windowMs: 0;
  /** What one request takes; the same budget may be charged differently by different keys. */
  readonly cost: number;
  /** When its period is over and it may be forgotten, milliseconds since the epoch; 0 for never. */
  readonly endsAt: number;
  local?: object;
}

export type Limit = Bucket | Budget;

/** Budgets have no window. */
export function isBudget(limit: Limit): limit is Budget {
  return limit.windowMs === 0;
}

/** All limits of one request, none of them twice. Whoever shares the array shares the call that decides it. */
export type Claim = readonly Limit[];

/** Where one limit stands. */
export interface LimitVerdict {
  /** Whether there was, or is, enough for a request. */
  readonly allowed: boolean;
  /** Whole tokens left after the call, or units of a budget. */
  readonly remaining: number;
  /** Milliseconds until a token is there; 0 when one is. Of a budget always 0: only its period's end helps. */
  readonly retryAfterMs: number;
}

/** All limits of a request, in their order. */
export interface ClaimVerdict {
  readonly allowed: boolean;
  readonly verdicts: readonly LimitVerdict[];
}

/** What one request is charged with, or what is given back where the amount is negative. */
export type Charge = readonly [limit: Limit, amount: number];

/** How long tokens on lease may be used, counted from when they were asked for. */
export const LEASE_TTL_MS = 1000;

/** What a process reports of the tokens of a bucket that it has on lease, and what it asks for. */
export interface LeaseRequest {
  readonly bucket: Bucket;
  /** Tokens wanted. */
  readonly wanted: number;
  /** As the last grant said. */
  readonly generation: number;
  /** Used since the last call, coming back with this one, and kept for LEASE_TTL_MS from now. */
  readonly used: number;
  readonly returned: number;
  readonly held: number;
}

export interface LeaseGrant {
  readonly granted: number;
  /** Whether what was held was still known; it is void otherwise. */
  readonly kept: boolean;
  /** Whole tokens that are still there for others. */
  readonly remaining: number;
  readonly retryAfterMs: number;
  readonly generation: number;
}

/** Limits, on the store's clock. */
export interface Limits {
  /** Takes a request's worth from every limit, or from none. */
  take(claim: Claim): Promise<ClaimVerdict> | ClaimVerdict;
  /** What `take` would find, touching nothing. */
  peek(claim: Claim): Promise<ClaimVerdict> | ClaimVerdict;
  /**
   * Takes tokens or units that were given out without asking, down to nothing; gives back where the amount is
   * negative, up to the capacity. What is asked for after this call finds it done.
   * @returns what could not be charged while other things could, because (a part of) the store is away.
   */
  charge(charges: readonly Charge[]): Promise<readonly Charge[]> | readonly Charge[];
  /** Forgets what was taken of some limits of one tenant, by their keys. */
  forget(limits: readonly string[]): Promise<void>;
  /**
   * Hands out tokens ahead of their requests, for LEASE_TTL_MS; what is not reported back is lost after twice that
   * time at the latest. Tokens on lease count as there, so a bucket never holds and lends more than its capacity.
   * @returns for each request the grant, or why there is none.
   */
  lease(
    requests: readonly LeaseRequest[],
  ): Promise<ReadonlyArray<LeaseGrant | Error>> | ReadonlyArray<LeaseGrant | Error>;
}

/** Numbers that are used once, in the whole fleet. */
export interface Nonces {
  /** When the memory began, milliseconds since the epoch: what was spent before is not known. 0: it outlives processes. */
  readonly since: number;
  /**
   * True the first time, and for `ms` milliseconds never again, whoever asks. Rejects with StoreUnavailableError where it
   * cannot be said.
   */
  spend(key: string, ms: number): Promise<boolean> | boolean;
}

/** Additions that are made all together and once, whoever repeats them. */
export interface LedgerBatch {
  /** Who sends: the epoch of one process. A ledger forgets a source that it has not heard of for 40 days. */
  readonly source: string;
  /** From 1; grows by any step. A source sends one batch at a time: one that was overtaken counts as applied. */
  readonly seq: number;
  /** The last seq of this source that this ledger is known to have applied; 0 for none. */
  readonly after: number;
  /** Integers of up to 53 bits to be added to fields of named tables; not to tables of cycles. */
  readonly additions: ReadonlyArray<readonly [table: string, field: string, amount: number]>;
  /** Additions to the table of the billing cycle that is open when the batch is applied. */
  readonly cycleAdditions: ReadonlyArray<readonly [field: string, amount: number]>;
  /** How long tables stay if this batch is the first that adds to them, in milliseconds; others stay for good. */
  readonly lifetimes?: ReadonlyMap<string, number>;
}

/**
 * Tables of counters that are added to exactly once per batch, for what is invoiced. A ledger is a tenant's; its amounts
 * are integers of 64 bits. The table of a billing cycle is called `cycle:<number>`.
 */
export interface Ledgers {
  /**
   * Adds a batch unless it was added before.
   * @returns the seq of the last applied batch of this source. At least `seq`: the batch is in, now or since earlier.
   * Less than `after`: the ledger has lost batches that it had confirmed (a fail-over, a restored backup); nothing was
   * added, and the lost ones must be repeated first.
   * @throws RangeError for a batch that is none, Error that names the table for one that cannot be added, now or by
   * repeating it, because a sum would exceed 64 bits or something else lies under the key. Nothing was added then.
   */
  apply(ledger: string, batch: LedgerBatch): Promise<number>;
  /** All fields of a table; none if there is no such table. */
  read(ledger: string, table: string): Promise<Map<string, bigint>>;
  /** Some fields of a table, 0n where there is none. */
  readFields(ledger: string, table: string, fields: readonly string[]): Promise<bigint[]>;
  /** The number of the open billing cycle, from 1. */
  openCycle(ledger: string): Promise<number>;
  /** Closes a cycle and opens the next: nothing is added to its table any more. False if it is not the open one. */
  closeCycle(ledger: string, cycle: number): Promise<boolean>;
  /** Bounds how long a table stays, in milliseconds from now; 0 forgets it. Additions do not prolong it. */
  expire(ledger: string, table: string, ms: number): Promise<void>;
  /** Removes all tables, cycles and sources of a ledger. */
  drop(ledger: string): Promise<void>;
  /** All ledgers that hold anything, in no order. */
  list(): AsyncIterable<string>;
  /** Everything that a ledger holds, of one moment. */
  dump(ledger: string): Promise<LedgerDump>;
  /** Puts what was dumped in the place of whatever a ledger holds. A source that has gone on since repeats what is lost. */
  load(ledger: string, dump: LedgerDump): Promise<void>;
}

/** A ledger as it is carried from one store to another. Times are milliseconds since the epoch. */
export interface LedgerDump {
  /** Number of the open cycle. */
  readonly cycle: number;
  readonly tables: ReadonlyArray<{
    readonly name: string;
    /** Undefined: it stays. */
    readonly expiresAt?: number;
    readonly amounts: ReadonlyMap<string, bigint>;
  }>;
  /** The last batch of each source, and until when that is remembered. */
  readonly sources: ReadonlyArray<{
    readonly source: string;
    readonly seq: number;
    readonly expiresAt: number;
  }>;
}

/** How a breaker opens and closes; times in milliseconds. */
export interface BreakerTerms {
  /** How long it opens for at first; twice as long each time that it opens again soon. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** Requests that are let through before it closes, by all processes together. */
  readonly probes: number;
  /** After which a probe of which nothing was heard is given up. */
  readonly permitMs: number;
}

export type BreakerStep =
  | { readonly do: 'read' }
  /**
   * Opens a breaker that is closed. `generation` is the one in which its requests failed: nothing happens if that is
   * over. Undefined: whichever it is.
   */
  | {
      readonly do: 'trip';
      readonly generation: number | undefined;
      readonly reason: string;
      readonly terms: BreakerTerms;
    }
  /** Asks whether a request may go through as a probe, once the time is over for which it was opened. */
  | { readonly do: 'permit'; readonly id: string; readonly terms: BreakerTerms }
  /** Says how a probe went; `void` if nothing was learnt from it, and another may take its place. */
  | {
      readonly do: 'settle';
      readonly generation: number;
      readonly id: string;
      readonly outcome: 'succeeded' | 'failed' | 'void';
      readonly reason: string;
      readonly terms: BreakerTerms;
    }
  /** Holds it open or closed until another word; `none` forgets everything and closes it. */
  | { readonly do: 'force'; readonly state: 'open' | 'closed' | 'none'; readonly reason: string };

export interface BreakerView {
  readonly state: 'closed' | 'open' | 'half_open' | 'forced_open' | 'forced_closed';
  /** Another one with every change of state; 0 if it has never opened, or so long ago that it was forgotten. */
  readonly generation: number;
  /** Until it is half-open; 0 unless it is open. */
  readonly remainingMs: number;
  /** How long it has been in its state (half-open is the end of open); 0 if that is not known. */
  readonly sinceMs: number;
  /** How often it has opened without having stayed closed for long in between. */
  readonly openings: number;
  /** How long it was last opened for. */
  readonly openMs: number;
  /** Why it is in its state. */
  readonly reason: string;
  /** Probes that went well since it is half-open, and those under way. */
  readonly succeeded: number;
  readonly probing: number;
  /** Whether the step was a request for a permit, and it was given. */
  readonly granted: boolean;
}

/** Circuit breakers, shared by all processes, on the store's clock. */
export interface Breakers {
  /**
   * Takes one step with a breaker and tells how it stands after that. When its state changes, its key is announced in
   * the change feed; that its time to be open is over is not.
   */
  step(key: string, step: BreakerStep): Promise<BreakerView>;
}

/** Where a shared response lies: by the digests of its URI and its key, and by the mark that it was asked for under. */
export interface SharedPlace {
  readonly tenantId: string;
  readonly uri: string;
  readonly id: string;
  readonly mark: string;
}

/**
 * Responses of upstreams that replicas share, bounded in bytes for each tenant. Every URI has a mark, which changes when
 * what is stored for it does not hold any more: whoever stores a response names the mark that it was asked for under.
 */
export interface SharedResponses {
  /** False while they cannot be reached. */
  readonly available: boolean;
  /** @param uri digest of the URI. @param id digest of the key. */
  get(tenantId: string, uri: string, id: string): Promise<{ value: Buffer | undefined; mark: string }>;
  /** Stores nothing where the mark is another one by now, or the value is too large. */
  put(place: SharedPlace, value: Buffer, ttlMs: number, maxBytes: number): Promise<void>;
  /** @param announced what the replicas are told, see `keys.cacheChange`. */
  invalidate(tenantId: string, uri: string, announced: string): Promise<void>;
  /** Removes all that is stored for a tenant. */
  drop(tenantId: string): Promise<void>;
  size(tenantId: string): Promise<{ entries: number; bytes: number }>;
}

/** Who has followed the changes up to some moment, and who has not said so; by `Fleet.id`. */
export interface Acknowledgement {
  readonly confirmed: readonly string[];
  readonly missing: readonly string[];
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
  /**
   * Resolves when every live process of the fleet has dropped what was changed before this call, whoever changed it,
   * or after `timeoutMs` with those that have not said so. Those that leave meanwhile are waited for no longer; those
   * that join meanwhile never knew what was there before.
   *
   * A missing one stands still or is cut off. Once its feed has been silent for 3 s it reads anew whatever it is asked
   * for; where it cannot even do that, it serves what it knows for STALE_CONFIG_MAX_AGE_SECONDS, and 10 s after its
   * last heartbeat nobody can tell it from one that has ended: it is not named any more.
   * @param changed keys that are dropped by name. A process whose feed was interrupted knows only that anything may
   * have changed: it reads anew, but may come back to what it knew when the store goes away before it has. Not to these.
   * @throws StoreUnavailableError when nobody can be asked; who has followed is unknown then.
   */
  acknowledged(timeoutMs: number, changed?: readonly string[]): Promise<Acknowledgement>;
}

/** The data plane processes that share this store. */
export interface Fleet {
  /** What this process is called where processes are listed: host, process id and a random part. */
  readonly id: string;
  /** Live processes as last seen, this one included; at least 1. */
  readonly size: number;
  join(): Promise<void>;
  /** The ids of all live processes. */
  members(): Promise<string[]>;
}

/** `starting`: never connected yet. `away`: was there, is not now. */
export type StoreState = 'starting' | 'ready' | 'away';

/** The port. Every method rejects with StoreUnavailableError when the store cannot be reached in time. */
export interface Store {
  readonly kind: 'redis' | 'embedded';
  readonly state: StoreState;
  readonly documents: Documents;
  readonly limits: Limits;
  readonly ledgers: Ledgers;
  readonly breakers: Breakers;
  readonly nonces: Nonces;
  readonly notes: Notes;
  readonly recents: Recents;
  readonly changes: ChangeFeed;
  readonly fleet: Fleet;
  /** Undefined where there is nobody to share them with. */
  readonly responses?: SharedResponses;
  /**
   * Set while documents come from what an earlier process has remembered: up to when that was current, milliseconds since
   * the epoch.
   */
  readonly recalledAt?: number;
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
