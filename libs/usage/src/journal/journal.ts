import { join } from 'node:path';
import type { Series } from '../series';
import { statusClass } from '../usage-tables';
import { ActiveBatch } from './active-batch';
import type { Complaints } from './complaints';
import type { SeriesSums } from './series-sums';

/** A batch that will not change any more. */
export interface SealedBatch {
  readonly seq: number;
  readonly begunAt: number;
  /** Of a file that may be missing, if the disk did not take it. */
  readonly path: string;
  readonly bytes: number;
  /** What belongs to the batch and is not in the file. */
  readonly inMemory: readonly SeriesSums[];
}

/** Where a process keeps its journal. */
export interface JournalFolder {
  readonly path: string;
  /** Makes it, or finds that it is there. */
  make(): void;
}

/** Read in some 0.1 s; only a batch that waits for the store becomes so large. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
/** Sealed in 3 ms, and some ten megabytes while it is being published. */
const MAX_BATCH_SERIES = 10_000;
/** After the disk has refused a line: the attempt takes longer than the request may be held up, so not each time. */
const RETRY_MS = 1000;
const HOUR_MS = 3_600_000;

/** The journal that this process writes. Nothing here throws: what the disk does not take is counted in memory. */
export class Journal {
  /** Times that the disk has refused something. */
  errors = 0;
  private active: ActiveBatch | undefined;
  private lastSeq = 0;
  private retryAt = 0;

  constructor(
    private readonly folder: JournalFolder,
    private readonly complaints: Complaints,
    private readonly clock: () => number,
    private readonly sealed: (batch: SealedBatch) => void,
  ) {}

  /** When the first request was recorded that has not been sealed; undefined if there is none. */
  get recordingSince(): number | undefined {
    return this.active?.begunAt;
  }

  /** Series in what has not been sealed. */
  get size(): number {
    return this.active?.size ?? 0;
  }

  /** Some 1.5 µs, nearly all of it the write(2). */
  record(series: Series, status: number, bytesIn: number, bytesOut: number, billable: boolean): void {
    const now = this.clock();
    const hour = Math.floor(now / HOUR_MS);
    const kind = statusClass(status);
    const received = wholeNumber(bytesIn);
    const sent = wholeNumber(bytesOut);
    const batch = (this.active ??= this.begin(now));
    batch.countResponse(series, kind, billable);
    if (now < this.retryAt) {
      batch.keep(series).count(hour, kind, received, sent, billable);
      return;
    }
    try {
      batch.append(series, hour, `${series.number} ${kind} ${received} ${sent} ${billable ? 1 : 0}\n`);
    } catch (error) {
      batch.keep(series).count(hour, kind, received, sent, billable);
      this.refused(error);
    }
    if (batch.bytes >= MAX_BATCH_BYTES || batch.size >= MAX_BATCH_SERIES) this.seal();
  }

  /** To be called about every second: finds out that the files have been deleted, or that the disk works again. */
  inspect(): void {
    const { active } = this;
    if (!active) return;
    this.attempt(() => {
      if (!active.isInPlace()) {
        this.refused(new Error(`${active.path} was deleted or moved away`));
        active.takeBack();
      }
      active.rescue();
      this.retryAt = 0;
    });
  }

  /** Ends the batch, if there is one, and hands it on. */
  seal(): void {
    const { active } = this;
    if (!active) return;
    this.inspect();
    this.active = undefined;
    this.attempt(() => active.seal());
    this.attempt(() => active.close());
    const { seq, begunAt, path, bytes, inMemory } = active;
    this.sealed({ seq, begunAt, path, bytes, inMemory });
  }

  private begin(now: number): ActiveBatch {
    const seq = ++this.lastSeq;
    return new ActiveBatch(seq, now, join(this.folder.path, `${seq}.log`), () => this.folder.make());
  }

  private attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.refused(error);
    }
  }

  private refused(error: unknown): void {
    this.errors += 1;
    this.retryAt = this.clock() + RETRY_MS;
    this.complaints.error(error, 'the usage journal cannot be written, usage is counted in memory', {
      folder: this.folder.path,
    });
  }
}

/** Anything else would make a line that nobody can read, and with it a request that is not counted. */
function wholeNumber(value: number): number {
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
}
