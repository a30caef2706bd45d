import { TALLY_LENGTH, addTally, count, emptyTally, type Ending } from './tally';

/** How far back figures go, and in what steps. */
export const HISTORY_SECONDS = 300;
export const STEP_SECONDS = 5;
const WINDOW_SECONDS = 10;

/** A tally of some seconds that are over. */
export interface TalliedStep {
  /** When it began, seconds since the epoch; a multiple of STEP_SECONDS. */
  readonly at: number;
  readonly tally: number[];
}

/** What a process has counted of one kind of requests, as it tells others. */
export interface CountedRequests {
  /** Since it began to count them. */
  readonly total: number[];
  /** Of the last seconds, and how many they are: at most ten. */
  readonly seconds: number;
  readonly recent: number[];
  /** Of the last second that is over. */
  readonly last: number[];
  /** The last five minutes, the oldest first; steps without a request are left out. */
  readonly steps: readonly TalliedStep[];
}

/** Tallies of the last five minutes, second by second: 46 kB. */
export class RecentSeconds {
  private readonly rows = new Uint32Array(HISTORY_SECONDS * TALLY_LENGTH);
  private readonly totals = emptyTally();
  private row = 0;

  /** @param second seconds since the epoch. */
  constructor(
    private second: number,
    private since = second,
  ) {
    this.row = (second % HISTORY_SECONDS) * TALLY_LENGTH;
  }

  count(ending: Ending): void {
    count(this.rows, this.row, ending);
    count(this.totals, 0, ending);
  }

  /** To be called about each second; what was not counted in between is nothing. */
  advance(second: number): void {
    if (second < this.second - WINDOW_SECONDS) this.beginAnew(second);
    while (this.second < second) {
      this.second = Math.max(this.second + 1, second - HISTORY_SECONDS + 1);
      this.row = (this.second % HISTORY_SECONDS) * TALLY_LENGTH;
      this.rows.fill(0, this.row, this.row + TALLY_LENGTH);
    }
  }

  /** The clock was put back: until it had come so far again, everything would be counted as of one and the same second. */
  private beginAnew(second: number): void {
    this.second = this.since = second;
    this.row = (second % HISTORY_SECONDS) * TALLY_LENGTH;
    this.rows.fill(0);
  }

  read(): CountedRequests {
    const seconds = Math.min(WINDOW_SECONDS, this.second - this.since);
    const recent = emptyTally();
    for (let back = 1; back <= seconds; back++) this.addSecond(recent, this.second - back);
    const last = emptyTally();
    if (seconds > 0) this.addSecond(last, this.second - 1);
    return { total: [...this.totals], seconds, recent, last, steps: this.steps() };
  }

  private steps(): TalliedStep[] {
    const end = this.second - (this.second % STEP_SECONDS);
    const steps: TalliedStep[] = [];
    // The oldest step would be one that is overwritten at this moment.
    for (let at = end - HISTORY_SECONDS + STEP_SECONDS; at < end; at += STEP_SECONDS) {
      if (at + STEP_SECONDS <= this.since) continue;
      const tally = emptyTally();
      for (let i = 0; i < STEP_SECONDS; i++) if (at + i >= this.since) this.addSecond(tally, at + i);
      if (tally[0] !== 0) steps.push({ at, tally });
    }
    return steps;
  }

  private addSecond(tally: number[], second: number): void {
    addTally(tally, this.rows, (second % HISTORY_SECONDS) * TALLY_LENGTH);
  }
}
