import { keys, type Store } from '#libs/store';

const PUBLISH_INTERVAL_MS = 2000;
/** Tenants per store call: some hundred microseconds of the store's time. */
const BATCH = 500;

/** Requests per tenant since the last publication; a store call per request would cost more than the request's guards. */
export class UsageCounter {
  private pending = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly store: Store) {
    this.timer = setInterval(() => void this.publish(), PUBLISH_INTERVAL_MS).unref();
  }

  count(tenantId: string): void {
    this.pending.set(tenantId, (this.pending.get(tenantId) ?? 0) + 1);
  }

  /** Stops the timer and publishes what is left. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.publish();
  }

  private async publish(): Promise<void> {
    if (this.store.state !== 'ready' || this.pending.size === 0) return;
    const counted = [...this.pending];
    this.pending = new Map();
    for (let i = 0; i < counted.length; i += BATCH) await this.add(counted.slice(i, i + BATCH));
  }

  /** What could not be added waits for the next round. */
  private async add(counted: ReadonlyArray<readonly [tenantId: string, requests: number]>): Promise<void> {
    try {
      const amounts = new Map(counted.map(([tenantId, requests]) => [keys.usage(tenantId), requests]));
      await this.store.counters.addToMany('requests', amounts);
    } catch {
      for (const [tenantId, requests] of counted) {
        this.pending.set(tenantId, (this.pending.get(tenantId) ?? 0) + requests);
      }
    }
  }
}
