import type { StatusClass } from '../usage-tables';
import type { SeriesSums } from './series-sums';

/**
 * The text of a journal file, one batch. Every line ends in a line feed; what has none was torn off by a kill.
 *
 *     @484061                             the UTC hour of the lines below, in hours since the epoch
 *     #0 ["acme","","k1","/a/*",1000,""]  series 0: tenant, service, key, route, price, plan version
 *     0 2 120 4096 1                      a request: series, class of status, bytes in, bytes out, billable
 *     = 0 484061 2 17 2040 69632 17       a sum: series, hour, class, requests, bytes in, bytes out, billed
 *     +                                   the sums above are complete, and valid from here on
 *     a 0 18                              billable responses of series 0 by their status alone
 *     .                                   the lines `a` are complete: the batch was sealed
 *     0 2 12!                             an attempt that the disk cut short; what it was about was kept in memory
 */
export const SUMS_COMPLETE = '+\n';
export const SEALED = '.\n';
/** Ends a line that was cut short, so that neither it nor the sums before it can be taken for whole. */
export const ABANDONED = '!\n';

export const hourLine = (hour: number): string => `@${hour}\n`;

export const definitionLine = (series: number, definition: string): string => `#${series} ${definition}\n`;

export const responsesLine = (series: number, responses: number): string => `a ${series} ${responses}\n`;

export function sumLines(series: number, sums: SeriesSums): string {
  let text = '';
  for (const [hour, status, { requests, bytesIn, bytesOut, billed }] of sums)
    text += `= ${series} ${hour} ${status} ${requests} ${bytesIn} ${bytesOut} ${billed}\n`;
  return text;
}

const CODE = { '0': 48, '9': 57, ' ': 32 };

/**
 * The whole numbers of a line, one space between them; undefined for anything else. By bytes, because this reads every
 * request that is ever counted: some 80 ns a line, half of what splitting it as text takes.
 */
export function readNumbers(bytes: Uint8Array, start: number, end: number, into: number[]): boolean {
  let count = 0;
  let value = -1;
  for (let i = start; i <= end; i++) {
    const code = i === end ? CODE[' '] : (bytes[i] ?? 0);
    if (code >= CODE['0'] && code <= CODE['9']) {
      value = value < 0 ? code - CODE['0'] : value * 10 + (code - CODE['0']);
    } else if (code === CODE[' '] && value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      into[count++] = value;
      value = -1;
    } else {
      return false;
    }
  }
  into.length = count;
  return true;
}

export function isStatusClass(value: number | undefined): value is StatusClass {
  return value !== undefined && value >= 2 && value <= 5;
}

/** The last hour a date can be made of (ECMA-262 §21.4.1.1). */
const LAST_HOUR = 2_400_000_000;

export function isHour(value: number | undefined): value is number {
  return value !== undefined && value <= LAST_HOUR;
}
