import { parseDefinition } from '../series';
import { isHour, isStatusClass, readNumbers } from './journal-lines';
import { SeriesSums, type Sum } from './series-sums';

/** What a journal file holds. */
export interface BatchContent {
  readonly series: readonly SeriesSums[];
  /** Lines that make no sense; a torn last line and abandoned ones are not among them. */
  readonly unreadable: number;
  /** Bytes after the last line feed, which a kill has torn off. */
  readonly tornBytes: number;
}

const LINE_FEED = 10;
const BANG = 33;

/**
 * Reads a journal file, in pieces as they come. It is the one way from requests to money, for the batches of this
 * process as for those of one that was killed: what is published does not depend on who publishes it.
 */
export class BatchReader {
  private readonly series: Array<SeriesSums | undefined> = [];
  private readonly numbers: number[] = [];
  private readonly pendingSums: Array<() => void> = [];
  private readonly pendingResponses = new Map<SeriesSums, number>();
  private sealed = false;
  private hour = -1;
  private unreadable = 0;
  private rest: Buffer = Buffer.alloc(0);

  feed(chunk: Buffer): void {
    const bytes = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      if (!this.line(bytes, start, end)) this.unreadable += 1;
      start = end + 1;
    }
    // Copied, for the piece it lies in will be used again.
    this.rest = Buffer.from(bytes.subarray(start));
  }

  content(): BatchContent {
    const series = this.series.filter((sums) => sums !== undefined);
    if (this.sealed) for (const sums of series) sums.responses = this.pendingResponses.get(sums) ?? 0;
    return { series, unreadable: this.unreadable, tornBytes: this.rest.length };
  }

  /** By number, as the file has them. */
  find(number: number): SeriesSums | undefined {
    return this.series[number];
  }

  /** @returns false for a line that makes no sense. */
  private line(bytes: Buffer, start: number, end: number): boolean {
    if (bytes[end - 1] === BANG && end > start) return this.abandoned();
    if (readNumbers(bytes, start, end, this.numbers)) return this.request();
    const kind = String.fromCharCode(bytes[start] ?? 0);
    if (kind === '#') return this.definition(bytes.toString('utf8', start + 1, end));
    if (end === start + 1 && kind === '+') return this.completeSums();
    if (end === start + 1 && kind === '.') return (this.sealed = true);
    if (!readNumbers(bytes, start + (kind === '@' ? 1 : 2), end, this.numbers)) return false;
    if (kind === '@') return this.startHour();
    if (kind === '=') return this.sum();
    return kind === 'a' && this.responses();
  }

  private request(): boolean {
    const { numbers, hour } = this;
    const [number, status, bytesIn, bytesOut, billable] = numbers;
    const sums = this.series[number ?? -1];
    if (numbers.length !== 5 || !sums || !isStatusClass(status) || hour < 0) return false;
    if (billable !== 0 && billable !== 1) return false;
    sums.count(hour, status, bytesIn ?? 0, bytesOut ?? 0, billable === 1);
    return true;
  }

  /** The same series may be defined twice, where the first time may have been torn; its number never changes hands. */
  private definition(text: string): boolean {
    const match = /^(\d{1,9}) (.+)$/.exec(text);
    const identity = parseDefinition(match?.[2] ?? '');
    if (!identity) return false;
    this.series[Number(match?.[1])] ??= new SeriesSums(identity);
    return true;
  }

  private startHour(): boolean {
    const [hour] = this.numbers;
    if (this.numbers.length !== 1 || !isHour(hour)) return false;
    this.hour = hour;
    return true;
  }

  private sum(): boolean {
    const [number, hour, status, requests, bytesIn, bytesOut, billed] = this.numbers as Seven;
    const sums = this.series[number];
    if (this.numbers.length !== 7 || !sums || !isHour(hour) || !isStatusClass(status)) return false;
    const sum: Sum = { requests, bytesIn, bytesOut, billed };
    this.pendingSums.push(() => sums.add(hour, status, sum));
    return true;
  }

  private responses(): boolean {
    const [number, responses] = this.numbers;
    const sums = this.series[number ?? -1];
    if (this.numbers.length !== 2 || !sums || responses === undefined) return false;
    this.pendingResponses.set(sums, responses);
    return true;
  }

  private completeSums(): boolean {
    for (const add of this.pendingSums.splice(0)) add();
    return true;
  }

  private abandoned(): boolean {
    this.pendingSums.length = 0;
    this.pendingResponses.clear();
    return true;
  }
}

type Seven = [number, number, number, number, number, number, number];
