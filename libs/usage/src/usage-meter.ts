import { join } from 'node:path';
import type { Logger } from '#libs/logging';
import type { Store } from '#libs/store';
import { Complaints, type TroubleCounts } from './journal/complaints';
import { Epochs } from './journal/epochs';
import { Inheritance } from './journal/inheritance';
import { Journal } from './journal/journal';
import { Publisher, type PublisherContext } from './journal/publisher';
import { SeriesIndex, type Series } from './series';

/** What `series` is asked with: the fields of `SeriesIdentity`. */
export type SeriesKey = [
  tenantId: string,
  serviceId: string,
  keyId: string,
  route: string,
  priceNano: number,
  planVersion: string,
];

/** What a meter needs of a store. */
export type MeteredStore = Pick<Store, 'ledgers' | 'state'> & {
  readonly changes: { readonly epoch: number };
};

export interface UsageMeterOptions {
  /** Whether a tenant is still there; asked when its ledger has lost something, so that a deleted one stays deleted. */
  readonly exists?: (tenantId: string) => Promise<boolean>;
  /** How long a published batch is kept in the journal, in case the store loses it. */
  readonly retainMs?: number;
  readonly maxKeptBytes?: number;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
}

/** How late usage is at the most, while all goes well. */
const INTERVAL_MS = 1000;
/** With batches that wait for something, so that they become fewer and larger. */
const BACKLOG_INTERVAL_MS = 5000;
/**
 * Each series costs some 40 µs to publish, whatever it has counted: where there are many, they gather for longer, a
 * second for each thousand, so that it is never more than some 4 % of a core.
 */
const SERIES_INTERVAL_MS = 1;
/** Between two rounds of asking all ledgers whether they still have what they had confirmed. */
const DOUBT_INTERVAL_MS = 5000;
/** How long `close` waits for the store. */
const CLOSE_TIMEOUT_MS = 2000;
const RETAIN_MS = 600_000;
const MAX_KEPT_BYTES = 64 * 1024 * 1024;

/**
 * Counts finished requests so that each is counted once: at once in a journal on disk, which survives a kill -9, and
 * every second as a batch in the tenants' ledgers. What a process has left behind is published by a later one.
 */
export class UsageMeter {
  private readonly clock: () => number;
  private readonly complaints: Complaints;
  private readonly epochs: Epochs;
  private readonly index: SeriesIndex;
  private readonly journal: Journal;
  private readonly context: PublisherContext;
  private readonly own: Publisher;
  private readonly inheritance: Inheritance;
  private readonly timer: NodeJS.Timeout;
  private turning = Promise.resolve();
  private isTurning = false;
  /** Those who wait until everything is published. */
  private awaited = 0;
  private closing: Promise<void> | undefined;
  private sealedAt = 0;
  private doubtedAt = -Infinity;
  /** Of the store's feed, which grows with every interruption. */
  private feedEpoch: number;
  private wasAway = false;

  /** @param dataDir the journal is in `journal/` below it; several processes may share it. */
  constructor(
    private readonly store: MeteredStore,
    logger: Logger,
    dataDir: string,
    options: UsageMeterOptions = {},
  ) {
    this.clock = options.clock ?? Date.now;
    this.complaints = new Complaints(logger, this.clock);
    this.epochs = new Epochs(join(dataDir, 'journal'), this.complaints, this.clock);
    this.index = new SeriesIndex(this.clock);
    this.context = {
      store,
      complaints: this.complaints,
      clock: this.clock,
      retainMs: options.retainMs ?? RETAIN_MS,
      maxKeptBytes: options.maxKeptBytes ?? MAX_KEPT_BYTES,
      hurried: () => this.awaited > 0,
      exists: options.exists ?? (() => Promise.resolve(true)),
    };
    this.own = new Publisher(this.epochs.epoch, this.context);
    this.inheritance = new Inheritance(this.epochs, this.context);
    this.journal = new Journal(this.epochs, this.complaints, this.clock, (batch) => this.own.add(batch));
    this.feedEpoch = store.changes.epoch;
    this.timer = setInterval(() => this.tick(), INTERVAL_MS).unref();
  }

  /**
   * The series that requests of this kind are counted under. Keep it, and ask for another one when one of these changes.
   * @param key route: the template of the route that matched; priceNano: of one request, in whole nano-units.
   * @throws RangeError for a price that is not a whole number
   */
  series(...[tenantId, serviceId, keyId, route, priceNano, planVersion]: SeriesKey): Series {
    return this.index.find({ tenantId, serviceId, keyId, route, priceNano, planVersion });
  }

  /**
   * Counts a finished request. Once this has returned, the request is not forgotten if the process is killed. Never throws.
   * @param billable whether it is billed if its status says that it succeeded (below 400).
   */
  record(series: Series, status: number, bytesIn: number, bytesOut: number, billable: boolean): void {
    this.journal.record(series, status, bytesIn, bytesOut, billable);
  }

  /** Batches that are not published, and the one that grows if it should have been. */
  get backlogBatches(): number {
    const since = this.journal.recordingSince ?? Infinity;
    const overdue =
      this.clock() - since > 2 * this.gatheringMs(BACKLOG_INTERVAL_MS) ? this.journal.batches : 0;
    return this.publishers.reduce((sum, publisher) => sum + publisher.backlog.length, overdue);
  }

  /** When the oldest request was recorded that has not been published, in ms since the epoch; 0 when there is none. */
  get backlogSince(): number {
    const times = this.publishers.map((publisher) => publisher.backlog[0]?.begunAt ?? Infinity);
    const oldest = Math.min(this.journal.recordingSince ?? Infinity, ...times);
    return oldest === Infinity ? 0 : oldest;
  }

  /** Times that the journal could not be written; what it was about was counted in memory. */
  get journalErrors(): number {
    return this.journal.errors;
  }

  /** Times that something else went wrong. */
  get troubles(): Readonly<TroubleCounts> {
    return this.complaints.counts;
  }

  /** Publishes what has been recorded until now, as far as the store takes it. */
  async flush(): Promise<void> {
    this.awaited += 1;
    await this.turn(() => this.seal());
    this.awaited -= 1;
  }

  /** Publishes what is left, for two seconds at the most; the rest is for the next start. */
  close(): Promise<void> {
    clearInterval(this.timer);
    return (this.closing ??= this.finish());
  }

  private async finish(): Promise<void> {
    let late: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => (late = setTimeout(resolve, CLOSE_TIMEOUT_MS)));
    await Promise.race([this.flush(), timeout]);
    clearTimeout(late);
    // Recorded since: it stays for the next start.
    this.journal.seal();
    this.epochs.release();
  }

  private get publishers(): Publisher[] {
    return [this.own, ...this.inheritance.publishers];
  }

  private tick(): void {
    this.epochs.heartbeat();
    this.index.forget();
    if (this.isTurning) return this.journal.inspect();
    void this.turn(() => this.sealDue());
  }

  /** The oldest batch, if it has gathered for long enough. With several, their turns come one after the other. */
  private sealDue(): void {
    if (!this.isSealDue()) return this.journal.inspect();
    this.sealedAt = this.clock();
    this.journal.sealOldest();
  }

  private isSealDue(): boolean {
    if (this.store.state !== 'ready') return false;
    const interval = this.own.backlog.length > 0 ? BACKLOG_INTERVAL_MS : INTERVAL_MS;
    const since = this.journal.batches > 1 ? (this.journal.recordingSince ?? 0) : this.sealedAt;
    // The timer is not exact: half an interval early is better than a whole one late.
    return this.clock() - since >= this.gatheringMs(interval) - INTERVAL_MS / 2;
  }

  private gatheringMs(interval: number): number {
    return Math.max(interval, this.journal.size * SERIES_INTERVAL_MS);
  }

  private seal(): void {
    this.sealedAt = this.clock();
    this.journal.seal();
  }

  /** One after the other: a publisher does one thing at a time. */
  private turn(prepare: () => void): Promise<void> {
    this.turning = this.turning.then(async () => {
      this.isTurning = true;
      try {
        prepare();
        await this.publish();
      } catch (error) {
        this.complaints.error(error, 'usage cannot be published');
      } finally {
        this.isTurning = false;
      }
    });
    return this.turning;
  }

  private async publish(): Promise<void> {
    if (this.store.state !== 'ready') {
      this.wasAway = true;
      return;
    }
    this.noticeReturn();
    await this.inheritance.takeOver();
    for (const publisher of this.publishers) {
      await publisher.publish();
      await publisher.forget();
    }
    await this.inheritance.removeFinished();
  }

  /** A store that was away may be another one now, or have lost its latest writes. */
  private noticeReturn(): void {
    const { epoch } = this.store.changes;
    const now = this.clock();
    if ((epoch === this.feedEpoch && !this.wasAway) || now - this.doubtedAt < DOUBT_INTERVAL_MS) return;
    this.feedEpoch = epoch;
    this.wasAway = false;
    this.doubtedAt = now;
    for (const publisher of this.publishers) publisher.doubt();
  }
}
