import type { Bucket } from '../store';
import { EmbeddedBuckets } from './embedded-buckets';

describe('buckets in memory', () => {
  let now: number;
  let buckets: EmbeddedBuckets;
  beforeEach(() => {
    now = 1_800_000_000_000;
    buckets = new EmbeddedBuckets(() => now);
  });

  const bucket = (key: string, capacity = 2, windowMs = 1000): Bucket => ({ key, capacity, windowMs });

  it('are kept apart by their keys', () => {
    for (const key of ['a', 'b']) {
      expect([1, 2, 3].map(() => buckets.take(bucket(key)).allowed)).toEqual([true, true, false]);
    }
  });

  it('are shown as full while nobody has used them, and are not made by that', () => {
    expect(buckets.peek(bucket('a'))).toEqual({ allowed: true, remaining: 2, retryAfterMs: 0 });
    expect(buckets.take(bucket('a')).remaining).toBe(1);
    expect(buckets.peek(bucket('a')).remaining).toBe(1);
  });

  it('are forgotten only when they are full again, so that many of them admit no more', () => {
    buckets.take(bucket('used up', 1, 1_000_000));
    // Ten thousand strangers make it look for what can be forgotten; a second later they all can.
    for (let i = 0; i < 30_000; i++) {
      buckets.take(bucket(`stranger ${i}`));
      if (i % 10_000 === 0) now += 1000;
    }
    expect(buckets.take(bucket('used up', 1, 1_000_000)).allowed).toBe(false);
    const held = (buckets as unknown as { entries: Map<string, unknown> }).entries.size;
    expect(held).toBeLessThan(25_000);
  });
});
