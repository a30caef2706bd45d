import { Cluster } from 'ioredis';
import type { Bucket, BucketVerdict, Buckets } from '../store';
import { verdict } from '../token-bucket';
import type { RedisHealth } from './redis-health';
import { callScript, Script } from './script-call';
import { TAKE, type RedisClient } from './scripts';

const TAKE_SCRIPT = new Script(TAKE);

interface Waiter {
  resolve(verdict: BucketVerdict): void;
  reject(error: unknown): void;
}

interface Batch {
  bucket: Bucket;
  debt: number;
  readonly waiters: Waiter[];
}

/** Buckets decided by one script call: bounds how long Redis is busy with it, some 3 µs each. */
const MAX_BATCH = 64;

/**
 * Buckets in Redis. What arrives in the same turn of the event loop shares one script call. Requests of one bucket are
 * granted what there is in the order they came, which is what as many single calls would have done.
 */
export class RedisBuckets implements Buckets {
  private batches = new Map<string, Batch>();
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
    // Not clear(): V8 chains the table of a cleared map to its successor, and once one of them has grown old, every
    // later one with all that it holds is promoted to the old generation behind it.
    this.batches = new Map();
    // In a cluster a script may only touch keys of one slot, and every tenant has its own.
    const size = this.client instanceof Cluster ? 1 : MAX_BATCH;
    for (let i = 0; i < batches.length; i += size) void this.decide(batches.slice(i, i + size));
  }

  private async decide(batches: readonly Batch[]): Promise<void> {
    const keys = batches.map(({ bucket }) => bucket.key);
    const terms: number[] = [];
    for (const { bucket, waiters, debt } of batches) {
      terms.push(bucket.capacity, bucket.windowMs, waiters.length, debt);
    }
    try {
      const reply = await this.health.run(() =>
        this.client instanceof Cluster
          ? this.client.gatehouseTakeOne(keys[0] as string, ...terms)
          : callScript(this.client, TAKE_SCRIPT, keys, terms),
      );
      batches.forEach((batch, i) => settle(batch, Number(reply[i * 2]), String(reply[i * 2 + 1])));
    } catch (error) {
      for (const { waiters } of batches) for (const waiter of waiters) waiter.reject(error);
    }
  }
}

/** @param left units after all grants, or what is wrong with the key */
function settle({ bucket, waiters }: Batch, granted: number, left: string): void {
  if (granted < 0) {
    for (const waiter of waiters) waiter.reject(new Error(left));
    return;
  }
  const units = Number(left);
  waiters.forEach((waiter, position) => {
    const allowed = position < granted;
    // Each of them sees what was left right after it, not what was left after all.
    const takenLater = allowed ? granted - 1 - position : 0;
    waiter.resolve(verdict(units + takenLater * bucket.windowMs, bucket, allowed));
  });
}
