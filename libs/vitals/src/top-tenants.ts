import { REQUESTS, TALLY_LENGTH, addTally, count, emptyTally, type Ending } from './tally';

/** Tenants that are counted, some 0.4 kB each; who comes later in the same seconds is not. */
const MAX_TENANTS = 10_000;
const HALF_SECONDS = 5;
const SHOWN = 50;

/** What one tenant has asked for lately. */
export interface TalliedTenant {
  /** Empty for those of whom nobody knows whose they are. */
  readonly id: string;
  readonly tally: number[];
}

/** Who asks for most, over the last five to ten seconds. */
export class TopTenants {
  private before = new Map<string, Uint32Array>();
  private now = new Map<string, Uint32Array>();
  private turnedAt: number;
  private hasBefore = false;

  /** @param second seconds since the epoch. */
  constructor(private second: number) {
    this.turnedAt = second;
  }

  count(tenantId: string, ending: Ending): void {
    let tally = this.now.get(tenantId);
    if (!tally) {
      if (this.now.size >= MAX_TENANTS) return;
      this.now.set(tenantId, (tally = new Uint32Array(TALLY_LENGTH)));
    }
    count(tally, 0, ending);
  }

  advance(second: number): void {
    this.second = second;
    // Also where the clock was put back.
    if (Math.abs(second - this.turnedAt) < HALF_SECONDS) return;
    this.before = this.now;
    this.now = new Map();
    this.turnedAt = second;
    this.hasBefore = true;
  }

  /** @returns also how many seconds that was. */
  read(): { seconds: number; tenants: TalliedTenant[] } {
    const seconds = this.second - this.turnedAt + (this.hasBefore ? HALF_SECONDS : 0);
    const sums = new Map<string, number[]>();
    for (const part of [this.before, this.now]) {
      for (const [id, tally] of part) {
        const sum = sums.get(id) ?? emptyTally();
        addTally(sum, tally);
        sums.set(id, sum);
      }
    }
    const tenants = [...sums].map(([id, tally]) => ({ id, tally }));
    tenants.sort((a, b) => (b.tally[REQUESTS] as number) - (a.tally[REQUESTS] as number));
    return { seconds: Math.max(1, seconds), tenants: tenants.slice(0, SHOWN) };
  }
}
