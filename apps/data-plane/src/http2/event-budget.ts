/** So many events at once, and so many per second in the long run. For what costs a client less than it costs us. */
export class EventBudget {
  private left: number;
  private at: number;

  /** @param now monotonic milliseconds. */
  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
    now: number,
  ) {
    this.left = burst;
    this.at = now;
  }

  /** False when there were too many. */
  spend(now: number): boolean {
    this.left = Math.min(this.burst, this.left + ((now - this.at) / 1000) * this.perSecond);
    this.at = now;
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }
}
