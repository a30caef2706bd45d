import type { Bucket, BucketVerdict } from './store';

/**
 * The token bucket in whole numbers: a token is worth `windowMs` units and every millisecond refills `capacity`
 * units. So nothing is rounded and the number admitted is exactly capacity + refill, as long as
 * capacity × windowMs stays below 2^53 (a million per day is 8.6e13). The script in `redis/scripts.ts` is the same arithmetic.
 */
export interface BucketLevel {
  units: number;
  /** Clock of the last update, milliseconds. */
  at: number;
}

/** A bucket nobody has used. */
export function fullBucket(bucket: Bucket, now: number): BucketLevel {
  return { units: bucket.capacity * bucket.windowMs, at: now };
}

/** Takes one token if there is one; `debt` tokens are taken first, down to nothing. */
export function take(level: BucketLevel, bucket: Bucket, now: number, debt = 0): BucketVerdict {
  refill(level, bucket, now);
  if (debt > 0) level.units = Math.max(0, level.units - Math.ceil(debt * bucket.windowMs));
  const allowed = level.units >= bucket.windowMs;
  if (allowed) level.units -= bucket.windowMs;
  return verdict(level.units, bucket, allowed);
}

/** What `take` would find. */
export function peek(level: BucketLevel, bucket: Bucket, now: number): BucketVerdict {
  const copy = { ...level };
  refill(copy, bucket, now);
  return verdict(copy.units, bucket, copy.units >= bucket.windowMs);
}

/** Renders a level as what callers need to know. */
export function verdict(units: number, bucket: Bucket, allowed: boolean): BucketVerdict {
  const missing = bucket.windowMs - units;
  return {
    allowed,
    remaining: Math.floor(units / bucket.windowMs),
    retryAfterMs: missing <= 0 ? 0 : Math.ceil(missing / bucket.capacity),
  };
}

/** A clock that went backwards refills nothing rather than taking tokens away. */
function refill(level: BucketLevel, bucket: Bucket, now: number): void {
  const elapsed = Math.max(0, now - level.at);
  level.units = Math.min(bucket.capacity * bucket.windowMs, level.units + elapsed * bucket.capacity);
  level.at = Math.max(level.at, now);
}
