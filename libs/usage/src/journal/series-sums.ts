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

/** What a batch knows of one series. */
export class SeriesSums {
  /**
   * Billable responses counted by their status when they were recorded. Undefined when that count was lost, with the
   * process that was killed: then they are taken from the recorded lines.
   */
  responses: number | undefined;
  /** A batch is rarely about more than one hour. */
  private readonly hours: HourSums[] = [];

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

  *[Symbol.iterator](): Generator<readonly [hour: number, status: StatusClass, sum: Sum]> {
    for (const { hour, sums } of this.hours) {
      for (const status of CLASSES) {
        const sum = sums[status - 2];
        if (sum) yield [hour, status, sum];
      }
    }
  }

  private sum(hour: number, status: StatusClass): Sum {
    let current = this.hours.at(-1);
    if (current?.hour !== hour) {
      current = this.hours.find((known) => known.hour === hour) ?? { hour, sums: [] };
      if (current.sums.length === 0) this.hours.push(current);
    }
    return (current.sums[status - 2] ??= { requests: 0, bytesIn: 0, bytesOut: 0, billed: 0 });
  }
}

/** There may be ten thousand series in a batch, most of them with one class of status: the others take no memory. */
interface HourSums {
  /** Since the epoch. */
  readonly hour: number;
  /** By class, from 2 on. */
  readonly sums: Array<Sum | undefined>;
}
