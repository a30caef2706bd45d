/** What one tenant holds. */
interface Holding {
  bytes: number;
  /** Monotonic milliseconds when it last had something to do with us. */
  usedAt: number;
}

/** How long a tenant that holds nothing counts as one that may come back at any moment. */
const REMEMBERED_MS = 60_000;
/** Looking through all holdings is done at most so often. */
const SWEEP_MS = 30_000;

/**
 * Memory for something that comes bit by bit, such as bodies, shared fairly between tenants. A tenant's share is the limit
 * divided by the tenants that hold some; above it a tenant holds no more than it leaves to all others. So one that is alone may
 * take everything, and as soon as a second one has been there, no number of slow uploads of the first takes more than half.
 * Nothing is taken away from anybody: who holds more than that gets no more until it has given some back.
 *
 * Bounds: a holding for each tenant with bytes here or in the last minute.
 */
export class FairBytes {
  /** Bytes held by all. */
  held = 0;
  private readonly holdings = new Map<string, Holding>();
  /** Tenants that hold some. */
  private holders = 0;
  private sweptAt = 0;

  constructor(readonly limit: number) {}

  /** @param now monotonic milliseconds. @returns whether there is room, which is taken then. */
  take(tenantId: string, bytes: number, now = performance.now()): boolean {
    if (now - this.sweptAt > SWEEP_MS) this.sweep(now);
    const holding = this.holding(tenantId);
    holding.usedAt = now;
    if (!this.hasRoom(holding.bytes, bytes)) return false;
    if (holding.bytes === 0 && bytes > 0) this.holders += 1;
    holding.bytes += bytes;
    this.held += bytes;
    return true;
  }

  giveBack(tenantId: string, bytes: number): void {
    const holding = this.holdings.get(tenantId);
    if (!holding || bytes === 0) return;
    holding.bytes -= bytes;
    this.held -= bytes;
    if (holding.bytes === 0) this.holders -= 1;
  }

  /** Tenants in memory. */
  get known(): number {
    return this.holdings.size;
  }

  private hasRoom(own: number, bytes: number): boolean {
    const free = this.limit - this.held - bytes;
    if (free < 0) return false;
    const holders = this.holders + (own === 0 ? 1 : 0);
    // Somebody who was here a moment ago counts, or there would be no place for its next body.
    const claimants = Math.min(this.holdings.size, holders + 1);
    return own + bytes <= Math.max(this.limit / claimants, free);
  }

  private holding(tenantId: string): Holding {
    let holding = this.holdings.get(tenantId);
    if (!holding) this.holdings.set(tenantId, (holding = { bytes: 0, usedAt: 0 }));
    return holding;
  }

  private sweep(now: number): void {
    this.sweptAt = now;
    for (const [id, { bytes, usedAt }] of this.holdings)
      if (bytes === 0 && now - usedAt > REMEMBERED_MS) this.holdings.delete(id);
  }
}
