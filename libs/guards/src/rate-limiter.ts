import {
  StoreUnavailableError,
  take,
  type Bucket,
  type BucketLevel,
  type BucketVerdict,
  type Store,
} from '#libs/store';

/** What this process lets through on its own while the store is away. */
interface Share {
  readonly bucket: Bucket;
  readonly level: BucketLevel;
  /** Tokens given out that the store does not know of yet. */
  spent: number;
}

/**
 * Takes tokens from the store, and from this process's share of the limit while the store is away: the limit
 * divided by the live replicas, continuing from what was last seen, so that together they stay within it.
 */
export class RateLimiter {
  private readonly shares = new Map<string, Share>();

  /** @param now milliseconds since the epoch. */
  constructor(
    private readonly store: Store,
    private readonly now: () => number = Date.now,
  ) {}

  take(bucket: Bucket): BucketVerdict | Promise<BucketVerdict> {
    if (this.store.state !== 'ready') return this.takeShare(bucket);
    const debt = this.shares.size === 0 ? 0 : this.collectDebt(bucket);
    const verdict = this.store.buckets.take(bucket, debt);
    return verdict instanceof Promise ? this.settle(bucket, verdict, debt) : verdict;
  }

  /** The state of a bucket, touching nothing. */
  peek(bucket: Bucket): BucketVerdict | Promise<BucketVerdict> {
    return this.store.buckets.peek(bucket);
  }

  private settle(bucket: Bucket, pending: Promise<BucketVerdict>, debt: number): Promise<BucketVerdict> {
    return pending.then(
      (verdict) => {
        // Written in place: an object per request would be garbage a moment later.
        bucket.lastSeen ??= { remaining: 0, at: 0 };
        bucket.lastSeen.remaining = verdict.remaining;
        bucket.lastSeen.at = this.now();
        if (this.shares.size > 0) this.shares.delete(bucket.key);
        return verdict;
      },
      (error: unknown) => {
        // Stay up on counting: whatever ails the bucket, nobody is let in for free or turned away with a 500.
        if (!(error instanceof StoreUnavailableError) && !(error as Error).message.startsWith('WRONGTYPE'))
          throw error;
        this.share(bucket).spent += debt;
        return this.takeShare(bucket);
      },
    );
  }

  private takeShare(bucket: Bucket): BucketVerdict {
    const share = this.share(bucket);
    const verdict = take(share.level, share.bucket, this.now());
    if (verdict.allowed) share.spent += 1;
    return verdict;
  }

  private share(bucket: Bucket): Share {
    let share = this.shares.get(bucket.key);
    if (!share) this.shares.set(bucket.key, (share = this.openShare(bucket, this.now())));
    return share;
  }

  private openShare(bucket: Bucket, now: number): Share {
    const replicas = this.store.fleet.size;
    const tokens = bucket.capacity / replicas;
    // A share below one token refills just as slowly, but must be able to hold the token it refills to.
    const capacity = Math.max(1, Math.floor(tokens));
    const windowMs = Math.ceil((capacity / tokens) * bucket.windowMs);
    const seen = bucket.lastSeen;
    const refilled = seen
      ? seen.remaining + ((now - seen.at) * bucket.capacity) / bucket.windowMs
      : bucket.capacity;
    const start = Math.min(tokens, capacity, refilled / replicas);
    return {
      bucket: { key: bucket.key, capacity, windowMs },
      level: { units: start * windowMs, at: now },
      spent: 0,
    };
  }

  /** The store is back: what was given out without it is taken there too. The share lives on until that has worked. */
  private collectDebt(bucket: Bucket): number {
    const share = this.shares.get(bucket.key);
    if (!share) return 0;
    const { spent } = share;
    share.spent = 0;
    return spent;
  }
}
