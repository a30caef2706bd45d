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
/** Batches that grow at a time: series beyond those of one go on in the next, and none has to end early for them. */
const MAX_OPEN_BATCHES = 16;
/** After the disk has refused a line: the attempt takes longer than the request may be held up, so not each time. */
const RETRY_MS = 1000;
const HOUR_MS = 3_600_000;

/**
 * The journal that this process writes. Nothing here throws: what the disk does not take is counted in memory.
 *
 * Several batches may grow at a time, each with its own series: a hundred thousand active series are ten files, and one
 * after the other is sealed, rather than one file that is sealed each second because it is full. They are sealed in the
 * order of their numbers, so that whatever a series is counted in next comes after what it was counted in before.
 */
export class Journal {
  /** Times that the disk has refused something. */
  errors = 0;
  /** In the order of their numbers, without a gap. */
  private readonly open: ActiveBatch[] = [];
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
    return this.open[0]?.begunAt;
  }

  /** Series in what has not been sealed. */
  get size(): number {
    return this.open.reduce((sum, batch) => sum + batch.size, 0);
  }

  /** Batches that grow. */
  get batches(): number {
    return this.open.length;
  }

  /** Some 1.5 µs, nearly all of it the write(2). */
  record(series: Series, status: number, bytesIn: number, bytesOut: number, billable: boolean): void {
    const now = this.clock();
    const hour = Math.floor(now / HOUR_MS);
    const kind = statusClass(status);
    const received = wholeNumber(bytesIn);
    const sent = wholeNumber(bytesOut);
    const batch = this.batchOf(series, now);
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
    if (batch.bytes >= MAX_BATCH_BYTES) this.sealThrough(batch.seq);
  }

  /** To be called about every second: finds out that the files have been deleted, or that the disk works again. */
  inspect(): void {
    for (const batch of this.open) this.inspectBatch(batch);
  }

  /** Ends the oldest batch, if there is one, and hands it on. */
  sealOldest(): void {
    const [batch] = this.open;
    if (!batch) return;
    this.inspectBatch(batch);
    this.open.shift();
    this.attempt(() => batch.seal());
    this.attempt(() => batch.close());
    const { seq, begunAt, path, bytes, inMemory } = batch;
    this.sealed({ seq, begunAt, path, bytes, inMemory });
  }

  /** Ends all of them. */
  seal(): void {
    this.sealThrough(this.lastSeq);
  }

  private sealThrough(seq: number): void {
    while (this.open[0] && this.open[0].seq <= seq) this.sealOldest();
  }

  /** The one that the series is in already, else the youngest while it has room. */
  private batchOf(series: Series, now: number): ActiveBatch {
    const { open } = this;
    const known = open[series.batch - (this.lastSeq - open.length + 1)];
    if (known) return known;
    const youngest = open.at(-1);
    if (youngest && youngest.size < MAX_BATCH_SERIES) return youngest;
    if (open.length >= MAX_OPEN_BATCHES) this.sealOldest();
    return this.begin(now);
  }

  private inspectBatch(batch: ActiveBatch): void {
    this.attempt(() => {
      if (!batch.isInPlace()) {
        this.refused(new Error(`${batch.path} was deleted or moved away`));
        batch.takeBack();
      }
      batch.rescue();
      this.retryAt = 0;
    });
  }

  private begin(now: number): ActiveBatch {
    const seq = ++this.lastSeq;
    const path = join(this.folder.path, `${seq}.log`);
    const batch = new ActiveBatch(seq, now, path, () => this.folder.make());
    this.open.push(batch);
    return batch;
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
