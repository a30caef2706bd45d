import type { Bucket, BucketVerdict, Buckets } from '../store';
import { fullBucket, peek, take, type BucketLevel } from '../token-bucket';

interface Entry {
  level: BucketLevel;
  bucket: Bucket;
}

const FIRST_SWEEP = 10_000;

/** Buckets in memory, for the one process there is. A bucket that has refilled is forgotten: it says nothing any more. */
export class EmbeddedBuckets implements Buckets {
  private readonly entries = new Map<string, Entry>();
  private sweepAt = FIRST_SWEEP;

  /** @param now milliseconds since the epoch. */
  constructor(private readonly now: () => number) {}

  take(bucket: Bucket, debt = 0): BucketVerdict {
    const now = this.now();
    let entry = this.entries.get(bucket.key);
    if (!entry) {
      if (this.entries.size >= this.sweepAt) this.sweep(now);
      entry = { level: fullBucket(bucket, now), bucket };
      this.entries.set(bucket.key, entry);
    }
    entry.bucket = bucket;
    return take(entry.level, bucket, now, debt);
  }

  peek(bucket: Bucket): BucketVerdict {
    const now = this.now();
    return peek(this.entries.get(bucket.key)?.level ?? fullBucket(bucket, now), bucket, now);
  }

  /** Runs when the map has doubled since the last time, so its cost per request stays constant. */
  private sweep(now: number): void {
    for (const [key, { level, bucket }] of this.entries) {
      if (peek(level, bucket, now).remaining === bucket.capacity) this.entries.delete(key);
    }
    this.sweepAt = Math.max(FIRST_SWEEP, this.entries.size * 2);
  }
}
