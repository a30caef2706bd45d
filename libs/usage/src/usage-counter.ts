import { keys, type Store } from '#libs/store';

const PUBLISH_INTERVAL_MS = 1000;

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
    const batch = this.pending;
    this.pending = new Map();
    await Promise.all([...batch].map(([tenantId, requests]) => this.add(tenantId, requests)));
  }

  /** What could not be added waits for the next round. */
  private async add(tenantId: string, requests: number): Promise<void> {
    try {
      await this.store.counters.add(keys.usage(tenantId), { requests });
    } catch {
      this.pending.set(tenantId, (this.pending.get(tenantId) ?? 0) + requests);
    }
  }
}
