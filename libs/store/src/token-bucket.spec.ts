import type { Bucket } from './store';
import { fullBucket, peek, take, type BucketLevel } from './token-bucket';

const START = 1_800_000_000_000;
const bucketOf = (capacity: number, windowMs: number): Bucket => ({ key: 'rl', capacity, windowMs });

function admitted(level: BucketLevel, bucket: Bucket, now: number, requests: number): number {
  let count = 0;
  for (let i = 0; i < requests; i++) if (take(level, bucket, now).allowed) count += 1;
  return count;
}

it.each([
  [1, 1000],
  [3, 1000],
  [7, 60_000],
  [100, 60_000],
  [1000, 1000],
])('admits exactly capacity + refill: %d per %d ms', (capacity, windowMs) => {
  const bucket = bucketOf(capacity, windowMs);
  const level = fullBucket(bucket, START);
  let count = admitted(level, bucket, START, capacity + 1);
  expect(count).toBe(capacity);
  // An odd step: tokens fall between two calls, and nothing of them may be lost.
  for (let elapsed = 7; elapsed <= 3 * windowMs; elapsed += 7) {
    count += admitted(level, bucket, START + elapsed, Math.ceil((7 * capacity) / windowMs) + 1);
    expect(count).toBe(capacity + Math.floor((elapsed * capacity) / windowMs));
  }
});

it('never holds more than its capacity', () => {
  const bucket = bucketOf(5, 1000);
  const level = fullBucket(bucket, START);
  expect(admitted(level, bucket, START + 3_600_000, 20)).toBe(5);
});

it('says when the next token is there, to the millisecond', () => {
  const bucket = bucketOf(3, 1000);
  const level = fullBucket(bucket, START);
  admitted(level, bucket, START, 3);
  const { allowed, remaining, retryAfterMs } = take(level, bucket, START);
  expect([allowed, remaining, retryAfterMs]).toEqual([false, 0, 334]);
  expect(peek(level, bucket, START + retryAfterMs - 1).allowed).toBe(false);
  expect(peek(level, bucket, START + retryAfterMs).allowed).toBe(true);
});

it('touches nothing when it is only looked at', () => {
  const bucket = bucketOf(3, 1000);
  const level = { units: 100, at: START };
  expect(peek(level, bucket, START + 1000).remaining).toBe(3);
  expect(level).toEqual({ units: 100, at: START });
});

describe('a clock that goes backwards', () => {
  it('takes nothing away, and gives nothing twice', () => {
    const bucket = bucketOf(10, 1000);
    const level = fullBucket(bucket, START);
    expect(admitted(level, bucket, START, 6)).toBe(6);
    expect(admitted(level, bucket, START - 60_000, 10)).toBe(4);
    expect(admitted(level, bucket, START, 10)).toBe(0);
    expect(admitted(level, bucket, START + 100, 10)).toBe(1);
  });
});

describe('a changed capacity', () => {
  it('that is smaller holds at once', () => {
    const level = fullBucket(bucketOf(100, 1000), START);
    expect(admitted(level, bucketOf(5, 1000), START, 100)).toBe(5);
  });

  it('that is larger is filled by refill, not as a gift', () => {
    const level = fullBucket(bucketOf(5, 1000), START);
    expect(admitted(level, bucketOf(100, 1000), START, 100)).toBe(5);
    expect(admitted(level, bucketOf(100, 1000), START + 100, 100)).toBe(10);
  });
});

it.each([
  [0, 9],
  [4, 5],
  [2.5, 6],
  [9, 0],
  [10, 0],
  [1000, 0],
])('a debt of %d tokens is taken first, down to nothing: %d remain of 10', (debt, remaining) => {
  const bucket = bucketOf(10, 1000);
  const verdict = take(fullBucket(bucket, START), bucket, START, debt);
  expect(verdict.remaining).toBe(remaining);
  expect(verdict.allowed).toBe(debt < 10);
});

/** mulberry32: small, seeded, good enough to try things out. */
function generator(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** The same by definition, in whole numbers of any size. */
class Model {
  private units: bigint;
  private at = START;
  constructor(private readonly bucket: Bucket) {
    this.units = BigInt(bucket.capacity) * BigInt(bucket.windowMs);
  }

  take(now: number, debt: number): { allowed: boolean; remaining: number } {
    const [capacity, windowMs] = [BigInt(this.bucket.capacity), BigInt(this.bucket.windowMs)];
    if (now > this.at) {
      const refilled = this.units + BigInt(now - this.at) * capacity;
      this.units = refilled < capacity * windowMs ? refilled : capacity * windowMs;
      this.at = now;
    }
    const owed = BigInt(debt) * windowMs;
    this.units = this.units > owed ? this.units - owed : 0n;
    const allowed = this.units >= windowMs;
    if (allowed) this.units -= windowMs;
    return { allowed, remaining: Number(this.units / windowMs) };
  }
}

it.each(Array.from({ length: 50 }, (_, i) => i + 1))(
  'does what it says for any requests (seed %d)',
  (seed) => {
    const below = generator(seed);
    const windowMs = (1 + below(seed % 2 ? 10 : 86_400)) * 1000;
    const capacity = 1 + below(seed % 3 ? 20 : 1_000_000);
    const bucket = bucketOf(capacity, windowMs);
    const level = fullBucket(bucket, START);
    const model = new Model(bucket);
    let now = START;
    let latest = START;
    let count = 0;
    for (let i = 0; i < 500; i++) {
      const step = below(10);
      if (step === 0) now -= below(1000);
      else if (step < 5) now += below(Math.ceil((3 * windowMs) / capacity));
      latest = Math.max(latest, now);
      const debt = below(50) === 0 ? below(5) : 0;
      const verdict = take(level, bucket, now, debt);
      if (verdict.allowed) count += 1;
      expect(verdict).toMatchObject(model.take(now, debt));
      expect(verdict.retryAfterMs > 0).toBe(verdict.remaining === 0);
    }
    expect(count).toBeLessThanOrEqual(capacity + Math.floor(((latest - START) * capacity) / windowMs));
  },
);
