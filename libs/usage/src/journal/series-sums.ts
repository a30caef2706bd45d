import { isSuccess, type StatusClass } from '../usage-tables';
import type { SeriesIdentity } from '../series';

/** Requests of one series, hour and class of status, added up. */
export interface Sum {
  requests: number;
  bytesIn: number;
  bytesOut: number;
  billed: number;
}

const CLASSES: readonly StatusClass[] = [2, 3, 4, 5];

/** What a batch knows of one series. There may be a hundred thousand in a batch, nearly all of them about one hour. */
export class SeriesSums {
  /**
   * Billable responses counted by their status when they were recorded. Undefined when that count was lost, with the
   * process that was killed: then they are taken from the recorded lines.
   */
  responses: number | undefined = undefined;
  private latest: HourSums | undefined = undefined;

  constructor(readonly identity: SeriesIdentity) {}

  /** @param billable whether the request is billed if it succeeded: no refusal and no failure ever costs anything. */
  count(hour: number, status: StatusClass, bytesIn: number, bytesOut: number, billable: boolean): void {
    const sum = this.sum(hour, status);
    sum.requests += 1;
    sum.bytesIn += bytesIn;
    sum.bytesOut += bytesOut;
    if (billable && isSuccess(status)) sum.billed += 1;
  }

  add(hour: number, status: StatusClass, more: Sum): void {
    const sum = this.sum(hour, status);
    sum.requests += more.requests;
    sum.bytesIn += more.bytesIn;
    sum.bytesOut += more.bytesOut;
    sum.billed += more.billed;
  }

  /** In the order in which the hours first came, and by class within each. */
  *[Symbol.iterator](): Generator<readonly [hour: number, status: StatusClass, sum: Sum]> {
    const hours: HourSums[] = [];
    for (let sums = this.latest; sums; sums = sums.before) hours.unshift(sums);
    for (const { hour, sums } of hours) {
      for (const status of CLASSES) {
        const sum = sums[status - 2];
        if (sum) yield [hour, status, sum];
      }
    }
  }

  private sum(hour: number, status: StatusClass): Sum {
    let current = this.latest;
    while (current && current.hour !== hour) current = current.before;
    current ??= this.latest = new HourSums(hour, this.latest);
    return (current.sums[status - 2] ??= { requests: 0, bytesIn: 0, bytesOut: 0, billed: 0 });
  }
}

/** One hour of it. */
class HourSums {
  /** By class, from 2 on. Written out, for a list that grows has room for seventeen at once. */
  readonly sums: Array<Sum | undefined> = [undefined, undefined, undefined, undefined];

  /** @param hour since the epoch. @param before the one that came before it in the batch. */
  constructor(
    readonly hour: number,
    readonly before: HourSums | undefined,
  ) {}
}
