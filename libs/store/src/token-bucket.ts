import {
  isBudget,
  LEASE_TTL_MS,
  type Bucket,
  type LeaseGrant,
  type LeaseRequest,
  type Limit,
  type LimitVerdict,
} from './store';

/**
 * The token bucket in whole numbers: a token is worth `windowMs` units and every millisecond refills `capacity`
 * units. So nothing is rounded and the number admitted is exactly capacity + refill, as long as
 * capacity × windowMs stays below 2^53 (a million per day is 8.6e13). A budget is a bucket that nothing refills, whose
 * level is what has been spent: raising its capacity makes room. The scripts in `redis/limit-scripts.ts` are the same arithmetic.
 */
export interface LimitLevel {
  /** Units there are; of a budget, units that were spent. */
  units: number;
  /** Clock of the last update, milliseconds. */
  at: number;
  /** Units on lease; they belong to the bucket's capacity. */
  lent: number;
  /** Those that were lent before the last turn and not heard of since; forgotten at the next one. */
  lentBefore: number;
  /**
   * When the turn comes, LEASE_TTL_MS after the one before; 0 while nothing is on lease. So a lease counts for once to
   * twice that time, and one that nobody reports on is forgotten however many others are renewed. It is also the name
   * by which a lease is reported: a time does not come back, not even when the bucket has been forgotten in between.
   */
  turnsAt: number;
}

/** A limit nobody has used. */
export function freshLevel(limit: Limit, now: number): LimitLevel {
  return { units: limit.capacity * limit.windowMs, at: now, lent: 0, lentBefore: 0, turnsAt: 0 };
}

/** Whether a level is enough for a request. What costs nothing is there even where too much has been spent. */
export function suffices(units: number, limit: Limit): boolean {
  if (isBudget(limit)) return limit.cost === 0 || limit.capacity - units >= limit.cost;
  return units >= limit.windowMs;
}

/** Whether there is enough for a request. Brings the level up to date. */
export function hasRoom(level: LimitLevel, limit: Limit, now: number): boolean {
  if (!isBudget(limit)) refill(level, limit, now);
  return suffices(level.units, limit);
}

/** Takes a request's worth, which must be there. */
export function draw(level: LimitLevel, limit: Limit): void {
  if (isBudget(limit)) level.units += limit.cost;
  else level.units -= limit.windowMs;
}

/** Takes one token, or a request's cost, if there is enough. */
export function take(level: LimitLevel, limit: Limit, now: number): LimitVerdict {
  const allowed = hasRoom(level, limit, now);
  if (allowed) draw(level, limit);
  return verdict(level.units, limit, allowed);
}

/** What `take` would find. */
export function peek(level: LimitLevel, limit: Limit, now: number): LimitVerdict {
  const copy = { ...level };
  const allowed = hasRoom(copy, limit, now);
  return verdict(copy.units, limit, allowed);
}

/** Takes an amount down to nothing, or gives one back up to the capacity. */
export function charge(level: LimitLevel, limit: Limit, amount: number, now: number): void {
  if (isBudget(limit)) {
    level.units = Math.max(0, level.units + amount);
    return;
  }
  refill(level, limit, now);
  level.units = Math.min(
    roomFor(level, limit),
    Math.max(0, level.units - Math.ceil(amount * limit.windowMs)),
  );
}

/** Ends a lease and begins another. */
export function lease(level: LimitLevel, request: LeaseRequest, now: number): LeaseGrant {
  const { bucket, wanted } = request;
  const { windowMs } = bucket;
  refill(level, bucket, now);
  const kept = settle(level, request);
  const granted = Math.min(wanted, Math.floor(level.units / windowMs));
  level.units -= granted * windowMs;
  level.lent += granted * windowMs;
  if (level.lent > 0 && level.turnsAt === 0) level.turnsAt = level.at + LEASE_TTL_MS;
  const { remaining, retryAfterMs } = verdict(level.units, bucket, level.units >= windowMs);
  return { granted, kept, remaining, retryAfterMs, generation: level.turnsAt };
}

/** Brings home what was used and what comes back; what is held counts as lent anew. */
function settle(level: LimitLevel, { bucket, generation, used, returned, held }: LeaseRequest): boolean {
  const { windowMs } = bucket;
  if (level.turnsAt === 0) return false;
  if (generation === level.turnsAt) {
    level.lent = Math.max(0, level.lent - (used + returned) * windowMs);
  } else if (generation === level.turnsAt - LEASE_TTL_MS) {
    level.lentBefore = Math.max(0, level.lentBefore - (used + returned) * windowMs);
    const renewed = Math.min(level.lentBefore, held * windowMs);
    level.lentBefore -= renewed;
    level.lent += renewed;
  } else return false;
  level.units = Math.min(roomFor(level, bucket), level.units + returned * windowMs);
  return true;
}

/** Renders a level as what callers need to know. */
export function verdict(units: number, limit: Limit, allowed: boolean): LimitVerdict {
  if (isBudget(limit)) {
    return { allowed, remaining: Math.max(0, limit.capacity - units), retryAfterMs: 0 };
  }
  const missing = limit.windowMs - units;
  return {
    allowed,
    remaining: Math.floor(units / limit.windowMs),
    retryAfterMs: missing <= 0 ? 0 : Math.ceil(missing / limit.capacity),
  };
}

function refill(level: LimitLevel, bucket: Bucket, now: number): void {
  // Until its turn a lease fills its part of the bucket: what refills in that time beside it has nowhere to go.
  while (level.turnsAt > 0 && now >= level.turnsAt) {
    advance(level, bucket, level.turnsAt);
    level.lentBefore = level.lent;
    level.lent = 0;
    level.turnsAt = level.lentBefore > 0 ? level.turnsAt + LEASE_TTL_MS : 0;
  }
  advance(level, bucket, now);
}

/** A clock that went backwards refills nothing rather than taking tokens away. */
function advance(level: LimitLevel, bucket: Bucket, now: number): void {
  const elapsed = Math.max(0, now - level.at);
  level.units = Math.min(roomFor(level, bucket), level.units + elapsed * bucket.capacity);
  level.at = Math.max(level.at, now);
}

/** What a bucket can hold beside what is on lease. */
function roomFor({ lent, lentBefore }: LimitLevel, bucket: Bucket): number {
  return Math.max(0, bucket.capacity * bucket.windowMs - lent - lentBefore);
}
