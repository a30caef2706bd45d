const PER_SECOND = 10;
const BURST = 50;

/**
 * How many refusals of strangers are written: refusing costs next to nothing, writing several commands of the store, and
 * anybody can be refused. The rest is counted, and said with the next that is written; each one is in the log of requests.
 */
export class RefusalBudget {
  private left = BURST;
  private refilledAt = 0;
  private unwritten = 0;

  /** @returns undefined: not this one. Otherwise how many were not written since the last one. */
  charge(now: number): number | undefined {
    const passed = Math.max(0, now - this.refilledAt) / 1000;
    this.refilledAt = now;
    this.left = Math.min(BURST, this.left + passed * PER_SECOND);
    if (this.left < 1) {
      this.unwritten += 1;
      return undefined;
    }
    this.left -= 1;
    const { unwritten } = this;
    this.unwritten = 0;
    return unwritten;
  }
}
