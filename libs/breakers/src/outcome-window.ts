/** Parts of a window that are forgotten one at a time: a window is sharp to a tenth of its length. */
const PARTS = 10;
/** Numbers for each part: requests, failed, slow. */
const KINDS = 3;

/** How requests ended in the last seconds: counts in a ring, 120 bytes and no allocation per request. */
export class OutcomeWindow {
  requests = 0;
  failed = 0;
  slow = 0;
  private readonly counts = new Int32Array(PARTS * KINDS);
  private readonly partMs: number;
  /** The part that is being filled, counted from the epoch. */
  private current = 0;

  /** @param lengthMs from 10. */
  constructor(readonly lengthMs: number) {
    this.partMs = lengthMs / PARTS;
  }

  /** @param now milliseconds since the epoch; a clock that was set back stays in the part it was in. */
  note(failed: boolean, slow: boolean, now: number): void {
    this.advance(now);
    const at = (this.current % PARTS) * KINDS;
    const { counts } = this;
    counts[at] = (counts[at] as number) + 1;
    this.requests += 1;
    if (failed) {
      counts[at + 1] = (counts[at + 1] as number) + 1;
      this.failed += 1;
    }
    if (slow) {
      counts[at + 2] = (counts[at + 2] as number) + 1;
      this.slow += 1;
    }
  }

  /** Forgets what has grown too old. */
  advance(now: number): void {
    const part = Math.floor(now / this.partMs);
    if (part <= this.current) return;
    if (part - this.current >= PARTS) {
      this.clear();
      this.current = part;
      return;
    }
    while (this.current < part) {
      this.current += 1;
      const at = (this.current % PARTS) * KINDS;
      const { counts } = this;
      this.requests -= counts[at] as number;
      this.failed -= counts[at + 1] as number;
      this.slow -= counts[at + 2] as number;
      counts.fill(0, at, at + KINDS);
    }
  }

  clear(): void {
    this.counts.fill(0);
    this.requests = this.failed = this.slow = 0;
  }
}
