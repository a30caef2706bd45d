/** Retries in proportion to requests. */
const SHARE = 0.1;
/** So many in any window however few requests there are: a tenth of little would never be one. */
const FLOOR = 10;
const WINDOW_SECONDS = 10;

/**
 * Bounds retries to a tenth of the requests of the last ten seconds, or ten, so that an ailing upstream is not finished
 * off by its own gateway. Not a balance that quiet times fill up: what counts is what the upstream has to bear now.
 */
export class RetryBudget {
  private readonly requests = new Array<number>(WINDOW_SECONDS).fill(0);
  private readonly retries = new Array<number>(WINDOW_SECONDS).fill(0);
  private requested = 0;
  private retried = 0;
  private second = 0;

  /** A request goes out for the first time. @param now monotonic milliseconds. */
  request(now: number): void {
    this.advance(now);
    this.requests[this.second % WINDOW_SECONDS]! += 1;
    this.requested += 1;
  }

  /** True if a retry may be made now, which is counted. */
  withdraw(now: number): boolean {
    this.advance(now);
    if (this.retried >= Math.max(FLOOR, this.requested * SHARE)) return false;
    this.retries[this.second % WINDOW_SECONDS]! += 1;
    this.retried += 1;
    return true;
  }

  /** Forgets the seconds that have left the window. */
  private advance(now: number): void {
    const second = Math.floor(now / 1000);
    if (second === this.second) return;
    const first = Math.max(this.second + 1, second - WINDOW_SECONDS + 1);
    for (let passed = first; passed <= second; passed++) {
      const slot = passed % WINDOW_SECONDS;
      this.requested -= this.requests[slot]!;
      this.retried -= this.retries[slot]!;
      this.requests[slot] = this.retries[slot] = 0;
    }
    this.second = second;
  }
}
