import { rm } from 'node:fs/promises';
import { findBatches } from './batch-file';
import type { Epochs, TakenEpoch } from './epochs';
import { Publisher, type PublisherContext } from './publisher';

const TAKE_OVER_INTERVAL_MS = 60_000;
/** A ledger forgets a source after 40 days; what was published before would be added a second time after that. */
const MAX_AGE_MS = 30 * 86_400_000;

/** The journals of processes that are gone, which this one publishes under their names. */
export class Inheritance {
  /** By the folder. */
  private readonly taken = new Map<string, Publisher>();
  private readonly tooOld = new Set<string>();
  private lookedAt = -Infinity;

  constructor(
    private readonly epochs: Epochs,
    private readonly context: PublisherContext,
  ) {}

  get publishers(): Publisher[] {
    return [...this.taken.values()];
  }

  /** Looks now and then for journals that nobody writes to any more. */
  async takeOver(): Promise<void> {
    const now = this.context.clock();
    if (now - this.lookedAt < TAKE_OVER_INTERVAL_MS) return;
    this.lookedAt = now;
    for (const epoch of this.epochs.takeOver()) {
      if (this.taken.has(epoch.path) || this.tooOld.has(epoch.path)) continue;
      await this.take(epoch).catch((error: unknown) => {
        const about = { folder: epoch.path };
        this.context.complaints.error(error, 'a usage journal that was left behind cannot be read', about);
      });
    }
  }

  /** Removes the folders of which everything has been published and kept for long enough. */
  async removeFinished(): Promise<void> {
    for (const [path, publisher] of this.taken) {
      if (!publisher.isEmpty) continue;
      await rm(path, { recursive: true, force: true });
      this.taken.delete(path);
    }
  }

  private async take({ epoch, path }: TakenEpoch): Promise<void> {
    const { clock, complaints } = this.context;
    const batches = await findBatches(path);
    const latest = Math.max(...batches.map(({ begunAt }) => begunAt));
    if (batches.length > 0 && clock() - latest > MAX_AGE_MS) {
      this.tooOld.add(path);
      const message =
        'a usage journal is too old to tell what of it has been published; it is left where it is';
      complaints.error(new Date(latest).toISOString(), message, { folder: path });
      return;
    }
    const publisher = new Publisher(epoch, this.context);
    for (const batch of batches) publisher.add(batch);
    this.taken.set(path, publisher);
    complaints.info('takes over the usage journal of a process that is gone', {
      epoch,
      batches: batches.length,
    });
  }
}
