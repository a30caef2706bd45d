import { lot } from '../../../test/support/limits';
import type { Bucket, Budget } from './store';
import { charge, freshLevel, peek, take, type LimitLevel } from './token-bucket';

const START = 1_800_000_000_000;
const bucketOf = (capacity: number, windowMs: number): Bucket => ({ key: 'rl', capacity, windowMs });
const budgetOf = (capacity: number, cost = 1): Budget => ({
  key: 'rl',
  capacity,
  windowMs: 0,
  cost,
  endsAt: 0,
});

function admitted(level: LimitLevel, bucket: Bucket, now: number, requests: number): number {
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
  const level = freshLevel(bucket, START);
  let count = admitted(level, bucket, START, capacity + 1);
  expect(count).toBe(capacity);
  const wrong: object[] = [];
  // An odd step: tokens fall between two calls, and nothing of them may be lost.
  for (let elapsed = 7; elapsed <= 3 * windowMs; elapsed += 7) {
    count += admitted(level, bucket, START + elapsed, Math.ceil((7 * capacity) / windowMs) + 1);
    const exact = capacity + Math.floor((elapsed * capacity) / windowMs);
    if (count !== exact) wrong.push({ elapsed, count, exact });
  }
  expect(wrong).toEqual([]);
});

it('never holds more than its capacity', () => {
  const bucket = bucketOf(5, 1000);
  const level = freshLevel(bucket, START);
  expect(admitted(level, bucket, START + 3_600_000, 20)).toBe(5);
});

it('says when the next token is there, to the millisecond', () => {
  const bucket = bucketOf(3, 1000);
  const level = freshLevel(bucket, START);
  admitted(level, bucket, START, 3);
  const { allowed, remaining, retryAfterMs } = take(level, bucket, START);
  expect([allowed, remaining, retryAfterMs]).toEqual([false, 0, 334]);
  expect(peek(level, bucket, START + retryAfterMs - 1).allowed).toBe(false);
  expect(peek(level, bucket, START + retryAfterMs).allowed).toBe(true);
});

it('touches nothing when it is only looked at', () => {
  const bucket = bucketOf(3, 1000);
  const level = { ...freshLevel(bucket, START), units: 100 };
  const before = { ...level };
  expect(peek(level, bucket, START + 1000).remaining).toBe(3);
  expect(level).toEqual(before);
});

describe('a clock that goes backwards', () => {
  it('takes nothing away, and gives nothing twice', () => {
    const bucket = bucketOf(10, 1000);
    const level = freshLevel(bucket, START);
    expect(admitted(level, bucket, START, 6)).toBe(6);
    expect(admitted(level, bucket, START - 60_000, 10)).toBe(4);
    expect(admitted(level, bucket, START, 10)).toBe(0);
    expect(admitted(level, bucket, START + 100, 10)).toBe(1);
  });
});

describe('a changed capacity', () => {
  it('that is smaller holds at once', () => {
    const level = freshLevel(bucketOf(100, 1000), START);
    expect(admitted(level, bucketOf(5, 1000), START, 100)).toBe(5);
  });

  it('that is larger is filled by refill, not as a gift', () => {
    const level = freshLevel(bucketOf(5, 1000), START);
    expect(admitted(level, bucketOf(100, 1000), START, 100)).toBe(5);
    expect(admitted(level, bucketOf(100, 1000), START + 100, 100)).toBe(10);
  });
});

it.each([
  [0, 10],
  [4, 6],
  [2.5, 7],
  [10, 0],
  [1000, 0],
  [-3, 10],
])('a charge of %d tokens is taken down to nothing, and given back up to the capacity: %d remain of 10', (amount, remaining) => {
  const bucket = bucketOf(10, 1000);
  const level = freshLevel(bucket, START);
  charge(level, bucket, amount, START);
  expect(peek(level, bucket, START).remaining).toBe(remaining);
  expect(take(level, bucket, START).allowed).toBe(remaining > 0);
}); // prettier-ignore

it('a charge that is given back stays given back', () => {
  const bucket = bucketOf(10, 1000);
  const level = freshLevel(bucket, START);
  charge(level, bucket, 7, START);
  charge(level, bucket, -2, START);
  expect(peek(level, bucket, START).remaining).toBe(5);
});

describe('a budget', () => {
  it('is spent and never refills', () => {
    const budget = budgetOf(2);
    const level = freshLevel(budget, START);
    expect([0, 1, 2].map(() => take(level, budget, START))).toEqual([
      { allowed: true, remaining: 1, retryAfterMs: 0 },
      { allowed: true, remaining: 0, retryAfterMs: 0 },
      { allowed: false, remaining: 0, retryAfterMs: 0 },
    ]);
    expect(take(level, budget, START + 1e12).allowed).toBe(false);
  });

  it('is charged what each request costs, and refuses only those it has not enough for', () => {
    const level = freshLevel(budgetOf(10), START);
    expect(take(level, budgetOf(10, 7), START)).toMatchObject({ allowed: true, remaining: 3 });
    expect(take(level, budgetOf(10, 4), START)).toMatchObject({ allowed: false, remaining: 3 });
    expect(take(level, budgetOf(10, 3), START)).toMatchObject({ allowed: true, remaining: 0 });
    expect(take(level, budgetOf(10, 0), START)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('has room again when it is raised, and none when it is lowered below what was spent', () => {
    const level = freshLevel(budgetOf(5), START);
    charge(level, budgetOf(5), 8, START);
    expect(peek(level, budgetOf(5), START)).toMatchObject({ allowed: false, remaining: 0 });
    expect(peek(level, budgetOf(9), START)).toMatchObject({ allowed: true, remaining: 1 });
    // What costs nothing is no spending.
    expect(take(level, budgetOf(5, 0), START).allowed).toBe(true);
  });

  it('never has less than nothing spent', () => {
    const level = freshLevel(budgetOf(5), START);
    charge(level, budgetOf(5), 2, START);
    charge(level, budgetOf(5), -100, START);
    expect(peek(level, budgetOf(5), START).remaining).toBe(5);
  });

  it('counts to the unit near the end of what a double can tell', () => {
    const budget = budgetOf(9_000_000_000_000_000, 1);
    const level = freshLevel(budget, START);
    charge(level, budget, 9_000_000_000_000_000 - 2, START);
    expect([0, 1, 2].map(() => take(level, budget, START).allowed)).toEqual([true, true, false]);
  });
});

/** The same by definition, in whole numbers of any size. */
class Model {
  private units: bigint;
  private at = START;
  constructor(private readonly bucket: Bucket) {
    this.units = BigInt(bucket.capacity) * BigInt(bucket.windowMs);
  }

  charge(amount: number, now: number): void {
    this.refill(now);
    this.put(this.units - BigInt(amount) * BigInt(this.bucket.windowMs));
  }

  take(now: number): { allowed: boolean; remaining: number } {
    this.refill(now);
    const windowMs = BigInt(this.bucket.windowMs);
    const allowed = this.units >= windowMs;
    if (allowed) this.units -= windowMs;
    return { allowed, remaining: Number(this.units / windowMs) };
  }

  private refill(now: number): void {
    if (now <= this.at) return;
    this.put(this.units + BigInt(now - this.at) * BigInt(this.bucket.capacity));
    this.at = now;
  }

  private put(units: bigint): void {
    const full = BigInt(this.bucket.capacity) * BigInt(this.bucket.windowMs);
    this.units = units < 0n ? 0n : units < full ? units : full;
  }
}

it.each(Array.from({ length: 50 }, (_, i) => i + 1))(
  'does what it says for any requests (seed %d)',
  (seed) => {
    const below = lot(seed);
    const windowMs = (1 + below(seed % 2 ? 10 : 86_400)) * 1000;
    const capacity = 1 + below(seed % 3 ? 20 : 1_000_000);
    const bucket = bucketOf(capacity, windowMs);
    const level = freshLevel(bucket, START);
    const model = new Model(bucket);
    let now = START;
    let latest = START;
    let count = 0;
    let given = 0;
    for (let i = 0; i < 500; i++) {
      const step = below(10);
      if (step === 0) now -= below(1000);
      else if (step < 5) now += below(Math.ceil((3 * windowMs) / capacity));
      latest = Math.max(latest, now);
      if (below(50) === 0) {
        const amount = below(5);
        charge(level, bucket, amount, now);
        model.charge(amount, now);
        if (below(2) === 0) {
          // Given back at once, which may find the bucket fuller than it was left, but not above its capacity.
          charge(level, bucket, -amount, now);
          model.charge(-amount, now);
          given += amount;
        }
      }
      const verdict = take(level, bucket, now);
      if (verdict.allowed) count += 1;
      expect(verdict).toMatchObject(model.take(now));
      expect(verdict.retryAfterMs > 0).toBe(verdict.remaining === 0);
    }
    const refilled = Math.floor(((latest - START) * capacity) / windowMs);
    expect(count).toBeLessThanOrEqual(capacity + refilled + given);
  },
);
