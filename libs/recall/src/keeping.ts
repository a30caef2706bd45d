import type { Logger } from '#libs/logging';
import { StoreUnavailableError, type Store } from '#libs/store';
import type { Remembered } from './remembered';
import type { SnapshotFile } from './snapshot-file';

const LOOK_MS = 2000;
/** How often it is written down that nothing has changed. */
const VOUCH_MS = 10_000;
/** Between two writes of the documents: a second for each of so many entries, so that a large one is not written all the time. */
const ENTRIES_PER_SECOND = 5000;
/** Where the feed of changes does not see everything, all of it is read again so often. */
const REREAD_MS = 60_000;
/** Documents that are read at once. */
const PAGE = 100;
/** More are not read again at the end: nobody waits for that. */
const MAX_READ_AT_END = 5000;
const COMPLAINT_INTERVAL_MS = 60_000;

/** Keeps what is remembered in line with the store, and on disk. */
export class Keeping {
  private readonly dirty = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  /** The epoch of the feed in which everything was read, and when. */
  private epoch = NaN;
  private readAt = 0;
  private vouchedAt = 0;
  /** What is on disk, and when it was written. */
  private written = -1;
  private writtenAt = 0;
  private vouchWrittenAt = 0;
  private complainedAt = 0;

  constructor(
    private readonly store: Store,
    private readonly remembered: Remembered,
    private readonly file: SnapshotFile,
    private readonly logger: Logger,
    private readonly told: (outcome: 'written' | 'failed') => void,
  ) {}

  start(): void {
    this.store.changes.subscribe((key) => {
      if (key === undefined) this.epoch = NaN;
      else if (this.remembered.has(key)) this.dirty.add(key);
    });
    this.timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  /** Writes down what is known now. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.look(true);
  }

  private look(last = false): Promise<void> {
    this.running = this.running.then(() => this.keep(last));
    return this.running;
  }

  private async keep(last: boolean): Promise<void> {
    if (this.store.state !== 'ready') return;
    try {
      if (!last || this.epoch === this.store.changes.epoch || this.remembered.keys.length <= MAX_READ_AT_END)
        await this.follow();
      await this.write(last);
    } catch (error) {
      if (error instanceof StoreUnavailableError) return;
      this.told('failed');
      const now = Date.now();
      if (now - this.complainedAt < COMPLAINT_INTERVAL_MS) return;
      this.complainedAt = now;
      const reason = (error as Error).message;
      this.logger.error(
        { reason },
        'what is served cannot be kept on disk: a start without Redis would know nothing',
      );
    }
  }

  /** Reads again what may have changed. */
  private async follow(): Promise<void> {
    const now = Date.now();
    const { epoch, trustMs } = this.store.changes;
    const seesAll = trustMs === Infinity;
    if (epoch !== this.epoch || (!seesAll && now - this.readAt >= REREAD_MS)) {
      this.dirty.clear();
      await this.reread(this.remembered.keys);
      this.epoch = epoch;
      this.readAt = this.vouchedAt = now;
      return;
    }
    const changed = [...this.dirty];
    this.dirty.clear();
    try {
      await this.reread(changed);
    } catch (error) {
      for (const key of changed) this.dirty.add(key);
      throw error;
    }
    if (seesAll) this.vouchedAt = now;
  }

  private async reread(names: readonly string[]): Promise<void> {
    for (let at = 0; at < names.length; at += PAGE) {
      const page = names.slice(at, at + PAGE);
      await Promise.all(page.map(async (key) => this.remembered.note(key, await this.read(key))));
    }
  }

  private async read(key: string): Promise<string | undefined> {
    try {
      return await this.store.documents.get(key);
    } catch (error) {
      // No text: whoever asks is refused, as if there were nothing.
      if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return undefined;
      throw error;
    }
  }

  private async write(last: boolean): Promise<void> {
    // Nothing has been vouched for yet.
    if (this.vouchedAt === 0) return;
    const now = Date.now();
    const { changes } = this.remembered;
    const facts = { vouchedAt: this.vouchedAt, fleetSize: this.store.fleet.size };
    const rest = Math.max(LOOK_MS, (1000 * this.remembered.keys.length) / ENTRIES_PER_SECOND);
    if (changes !== this.written) {
      if (!last && now - this.writtenAt < rest) return;
      await this.file.write(this.remembered.entries, facts);
      this.told('written');
      this.written = changes;
      this.writtenAt = this.vouchWrittenAt = now;
    } else if (last || now - this.vouchWrittenAt >= VOUCH_MS) {
      await this.file.vouch(facts);
      this.told('written');
      this.vouchWrittenAt = now;
    }
  }
}
