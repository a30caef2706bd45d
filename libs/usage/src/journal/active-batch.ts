import { closeSync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import type { Series } from '../series';
import { isSuccess, type StatusClass } from '../usage-tables';
import { BatchReader } from './batch-reader';
import {
  ABANDONED,
  SEALED,
  SUMS_COMPLETE,
  definitionLine,
  hourLine,
  responsesLine,
  sumLines,
} from './journal-lines';
import { SeriesSums } from './series-sums';

/**
 * The batch that grows: a file that requests are appended to, and in memory only what the disk would not take.
 * Every write is one write(2) into the page cache, which outlives this process however it ends.
 */
export class ActiveBatch {
  bytes = 0;
  private fd: number | undefined;
  private inode = 0;
  /** The hour that the last line `@` names. */
  private hour = -1;
  /** The file ends in the middle of a line. */
  private torn = false;
  private readonly series: Series[] = [];
  private readonly unwritten = new Map<Series, SeriesSums>();

  /**
   * @param path of a file that is not there yet.
   * @param makeFolder called before the file is made.
   */
  constructor(
    readonly seq: number,
    readonly begunAt: number,
    readonly path: string,
    private readonly makeFolder: () => void,
  ) {}

  /** Series that have been counted. */
  get size(): number {
    return this.series.length;
  }

  /** What the disk would not take. */
  get inMemory(): SeriesSums[] {
    return [...this.unwritten.values()];
  }

  /** From the status alone, before the journal has a say: see `Series.responses`. */
  countResponse(series: Series, status: StatusClass, billable: boolean): void {
    if (series.batch !== this.seq) this.admit(series);
    if (billable && isSuccess(status)) series.responses += 1;
  }

  /** @throws what the disk says. Nothing was counted then. */
  append(series: Series, hour: number, line: string): void {
    if (this.fd === undefined || !series.defined || hour !== this.hour || this.torn) {
      const text = (hour === this.hour ? '' : hourLine(hour)) + this.definition(series) + line;
      this.write(text, Buffer.byteLength(text));
      series.defined = true;
      this.hour = hour;
    } else {
      // Digits and spaces: as many bytes as characters.
      this.write(line, line.length);
    }
  }

  /** What could not be appended. */
  keep(series: Series): SeriesSums {
    let sums = this.unwritten.get(series);
    if (!sums) this.unwritten.set(series, (sums = new SeriesSums(series.identity)));
    return sums;
  }

  /**
   * Writes what had to be kept in memory.
   * @throws what the disk says; everything is still in memory then.
   */
  rescue(): void {
    if (this.unwritten.size === 0) return;
    let text = '';
    for (const [series, sums] of this.unwritten)
      text += this.definition(series) + sumLines(series.number, sums);
    text += SUMS_COMPLETE;
    this.write(text, Buffer.byteLength(text));
    for (const series of this.unwritten.keys()) series.defined = true;
    this.unwritten.clear();
  }

  /**
   * Ends the file with what was counted apart from it.
   * @throws what the disk says. The file is as good as one that a kill has left, then.
   */
  seal(): void {
    let text = '';
    for (const series of this.series) {
      if (series.responses > 0)
        text += this.definition(series) + responsesLine(series.number, series.responses);
    }
    text += SEALED;
    this.write(text, Buffer.byteLength(text));
    // Written for all of the batch, in memory or not.
    for (const sums of this.unwritten.values()) sums.responses = 0;
  }

  /** Whether the file is still where a successor would look for it. */
  isInPlace(): boolean {
    if (this.fd === undefined) return true;
    return statSync(this.path, { throwIfNoEntry: false })?.ino === this.inode;
  }

  /**
   * Takes back into memory what is in a file that was deleted or moved away, so that it can be written anew.
   * @throws what the disk says.
   */
  takeBack(): void {
    if (this.fd === undefined) return;
    const content = Buffer.alloc(this.bytes);
    // By position: a plain read would go on where the last write has ended.
    const length = readSync(this.fd, content, 0, content.length, 0);
    const reader = new BatchReader();
    reader.feed(content.subarray(0, length));
    this.close();
    for (const series of this.series) {
      series.defined = false;
      const sums = reader.find(series.number);
      if (!sums) continue;
      const kept = this.keep(series);
      for (const [hour, status, sum] of sums) kept.add(hour, status, sum);
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
    this.hour = -1;
    this.torn = false;
  }

  private admit(series: Series): void {
    series.batch = this.seq;
    series.number = this.series.push(series) - 1;
    series.defined = false;
    series.responses = 0;
  }

  private definition(series: Series): string {
    return series.defined ? '' : definitionLine(series.number, series.definition);
  }

  private write(text: string, bytes: number): void {
    const fd = this.fd ?? this.open();
    const whole = this.torn ? ABANDONED + text : text;
    const expected = this.torn ? ABANDONED.length + bytes : bytes;
    const written = writeSync(fd, whole);
    this.bytes += written;
    if (written === expected) {
      this.torn = false;
      return;
    }
    if (written > 0) this.torn = true;
    this.hour = -1;
    throw new Error(`the disk took ${written} of ${expected} bytes`);
  }

  private open(): number {
    this.makeFolder();
    this.fd = openSync(this.path, 'wx+', 0o600);
    this.inode = fstatSync(this.fd).ino;
    this.bytes = 0;
    return this.fd;
  }
}
