import type { Nonces } from '../store';

const FIRST_SWEEP = 10_000;

/** Nonces in memory, for the one process there is. */
export class EmbeddedNonces implements Nonces {
  /** Seconds, as signatures tell the time: the second in which the memory began belongs to those before it. */
  readonly since: number;
  private readonly expiries = new Map<string, number>();
  private sweepAt = FIRST_SWEEP;

  /** @param now milliseconds since the epoch. */
  constructor(private readonly now: () => number) {
    this.since = Math.floor(now() / 1000) * 1000 + 1;
  }

  spend(key: string, ms: number): boolean {
    const now = this.now();
    const until = this.expiries.get(key);
    if (until !== undefined && now < until) return false;
    if (this.expiries.size >= this.sweepAt) this.sweep(now);
    this.expiries.set(key, now + ms);
    return true;
  }

  /** Runs when the map has doubled since the last time, so its cost per request stays constant. */
  private sweep(now: number): void {
    for (const [key, until] of this.expiries) if (now >= until) this.expiries.delete(key);
    this.sweepAt = Math.max(FIRST_SWEEP, this.expiries.size * 2);
  }
}
