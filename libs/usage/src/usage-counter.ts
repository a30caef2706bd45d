import { keys, type Store } from '#libs/store';

const PUBLISH_INTERVAL_MS = 2000;
/** Tenants per store call: some hundred microseconds of the store's time. */
const BATCH = 500;

/** Requests per tenant since the last publication; a store call per request would cost more than the request's guards. */
export class UsageCounter {
  private pending = new Map<string, number>();
  private publishing = Promise.resolve();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly store: Store) {
    this.timer = setInterval(() => void this.publish(), PUBLISH_INTERVAL_MS).unref();
  }

  count(tenantId: string, requests = 1): void {
    this.pending.set(tenantId, (this.pending.get(tenantId) ?? 0) + requests);
  }

  /** Stops the timer and publishes what is left. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.publish();
  }

  /** One after the other: whoever closes waits for the one under way, too. */
  private publish(): Promise<void> {
    this.publishing = this.publishing.then(() => this.publishPending());
    return this.publishing;
  }

  private async publishPending(): Promise<void> {
    if (this.store.state !== 'ready' || this.pending.size === 0) return;
    const counted = [...this.pending];
    this.pending = new Map();
    for (let i = 0; i < counted.length; i += BATCH) await this.add(new Map(counted.slice(i, i + BATCH)));
  }

  /** What could not be added waits for the next round. */
  private async add(counted: ReadonlyMap<string, number>): Promise<void> {
    const amounts = new Map([...counted].map(([tenantId, requests]) => [keys.usage(tenantId), requests]));
    const failed = await this.store.counters
      .addToMany('requests', amounts)
      .catch(() => [...amounts.keys()] as readonly string[]);
    if (failed.length === 0) return;
    const missing = new Set(failed);
    for (const [tenantId, requests] of counted) {
      if (missing.has(keys.usage(tenantId))) this.count(tenantId, requests);
    }
  }
}
