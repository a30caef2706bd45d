/** What is governed: the slots of a process. */
export interface GovernedSlots {
  limit: number;
  readonly inflight: number;
}

/** Measurements between two decisions: about a second of a loop that is well. */
const WINDOW = 10;
/** So many of them must be too late: one collection of garbage is no overload. */
const LATE_ONES = 3;
const DECREASE = 0.9;
/** It is raised only while it is used: a limit that nothing has tried says nothing. */
const USED = 0.8;
/** Below that a process does nothing useful, whatever delays it. */
const LEAST = 8;

/**
 * A limit of requests under way that follows the delay of the event loop: additive increase, multiplicative decrease, as
 * TCP does it. The loop is what all tenants share here. The latency of upstreams, which other adaptive limits go by, is
 * each tenant's own: one slow upstream must not shrink what the others get.
 */
export class DelayGovernedLimit {
  private measured = 0;
  private late = 0;
  private peak = 0;

  /** @param ceiling Infinity for none. */
  constructor(
    private readonly slots: GovernedSlots,
    private readonly maxDelayMs: number,
    private readonly ceiling: number,
  ) {}

  note(lateMs: number): void {
    this.measured += 1;
    if (lateMs > this.maxDelayMs) this.late += 1;
    this.peak = Math.max(this.peak, this.slots.inflight);
    if (this.measured < WINDOW) return;
    this.decide();
    this.measured = this.late = this.peak = 0;
  }

  private decide(): void {
    const { slots, peak, ceiling } = this;
    const { limit } = slots;
    if (this.late >= LATE_ONES) {
      const lower = Math.floor(Math.min(limit, peak) * DECREASE);
      slots.limit = Math.min(limit, Math.max(LEAST, lower));
    } else if (limit < ceiling && peak >= limit * USED) {
      slots.limit = Math.min(ceiling, limit + Math.max(1, Math.floor(Math.sqrt(limit))));
    }
  }
}
