import type { Bucket, BucketVerdict, Buckets } from '../store';
import { verdict } from '../token-bucket';
import type { RedisHealth } from './redis-health';
import type { RedisClient } from './scripts';

interface Waiter {
  resolve(verdict: BucketVerdict): void;
  reject(error: unknown): void;
}

interface Batch {
  bucket: Bucket;
  debt: number;
  readonly waiters: Waiter[];
}

/**
 * Buckets in Redis. Requests of one bucket that arrive in the same turn of the event loop share one script call:
 * the script grants the first of them what there is, which is what as many single calls would have done.
 */
export class RedisBuckets implements Buckets {
  private readonly batches = new Map<string, Batch>();
  private scheduled = false;

  constructor(
    private readonly client: RedisClient,
    private readonly health: RedisHealth,
  ) {}

  take(bucket: Bucket, debt = 0): Promise<BucketVerdict> {
    return new Promise((resolve, reject) => {
      const batch = this.batches.get(bucket.key);
      if (batch) {
        batch.bucket = bucket;
        batch.debt += debt;
        batch.waiters.push({ resolve, reject });
        return;
      }
      this.batches.set(bucket.key, { bucket, debt, waiters: [{ resolve, reject }] });
      if (this.scheduled) return;
      this.scheduled = true;
      setImmediate(() => this.flush());
    });
  }

  async peek(bucket: Bucket): Promise<BucketVerdict> {
    const units = await this.health.run(() =>
      this.client.gatehousePeek(bucket.key, bucket.capacity, bucket.windowMs),
    );
    return verdict(Number(units), bucket, Number(units) >= bucket.windowMs);
  }

  private flush(): void {
    this.scheduled = false;
    const batches = [...this.batches.values()];
    this.batches.clear();
    for (const batch of batches) void this.decide(batch);
  }

  private async decide({ bucket, debt, waiters }: Batch): Promise<void> {
    try {
      const [granted, text] = await this.health.run(() =>
        this.client.gatehouseTake(bucket.key, bucket.capacity, bucket.windowMs, waiters.length, debt),
      );
      const units = Number(text);
      waiters.forEach((waiter, position) => {
        const allowed = position < granted;
        // Each of them sees what was left right after it, not what was left after all.
        const takenLater = allowed ? granted - 1 - position : 0;
        waiter.resolve(verdict(units + takenLater * bucket.windowMs, bucket, allowed));
      });
    } catch (error) {
      for (const waiter of waiters) waiter.reject(error);
    }
  }
}
