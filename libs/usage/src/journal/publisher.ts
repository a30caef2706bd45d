import { StoreUnavailableError, type Store } from '#libs/store';
import { additionsOf } from '../ledger-additions';
import { BatchShelf, endOf, type KeptBatch } from './batch-shelf';
import { Breather } from './breather';
import { Chain } from './chain';
import type { Complaints } from './complaints';
import type { SealedBatch } from './journal';

/** What publishers work with. */
export interface PublisherContext {
  readonly store: Pick<Store, 'ledgers' | 'state'>;
  readonly complaints: Complaints;
  readonly clock: () => number;
  /** How long a confirmed batch is kept, in case a ledger loses it. */
  readonly retainMs: number;
  readonly maxKeptBytes: number;
  /** Whether somebody waits until all is published. */
  readonly hurried: () => boolean;
  /** Asked about a tenant whose ledger has lost something: nothing is repeated for one that was deleted. */
  readonly exists: (tenantId: string) => Promise<boolean>;
}

/** Tenants published to at a time. */
const CONCURRENCY = 32;
/** Series per turn: less than a millisecond of work, and 2000 a second with the pauses, twice what comes in. */
const PER_TURN = 20;
/** With more batches than these there is no time for pauses. */
const LEISURE_BATCHES = 2;
/**
 * Publishes the sealed batches of one source: to each tenant's ledger its own, one after the other and once. A ledger
 * answers with the last batch that it has; if that is less than it had confirmed, the lost ones are repeated from their
 * files. Calls of `publish` and `forget` must not overlap.
 */
export class Publisher {
  readonly shelf: BatchShelf;
  private readonly chains = new Map<string, Chain>();
  private readonly breather: Breather;

  constructor(
    source: string,
    private readonly context: PublisherContext,
  ) {
    this.shelf = new BatchShelf(source, context.complaints);
    const hurried = (): boolean => context.hurried() || this.backlog.length > LEISURE_BATCHES;
    this.breather = new Breather(PER_TURN, hurried);
  }

  add(batch: SealedBatch): void {
    this.shelf.add(batch);
  }

  /** Batches that are not confirmed, oldest first. */
  get backlog(): KeptBatch[] {
    return this.shelf.batches.filter((batch) => batch.confirmedAt === undefined);
  }

  get isEmpty(): boolean {
    return this.shelf.batches.length === 0;
  }

  /** To be called when the store was away: what it had confirmed before may be lost. */
  doubt(): void {
    for (const chain of this.chains.values()) chain.isDoubted = true;
  }

  /** Publishes what is there, as far as the store takes it. A tenant that cannot be published to waits, alone. */
  async publish(): Promise<void> {
    const failed = new Set<Chain>();
    await this.settleAll(
      [...this.chains.values()].filter(({ isDoubted }) => isDoubted),
      failed,
    );
    for (const batch of this.backlog) {
      if (this.context.store.state !== 'ready') return;
      if (batch.chains && [...batch.waiting].every((chain) => failed.has(chain))) continue;
      if (!(await this.admit(batch))) return;
      await this.settleAll(batch.waiting, failed);
      for (const chain of batch.waiting) if (!failed.has(chain)) batch.waiting.delete(chain);
      if (batch.waiting.size > 0) continue;
      batch.confirmedAt = this.context.clock();
      this.shelf.release(batch);
    }
  }

  /** Removes what has been kept for long enough. A tenant that has been idle since is asked about once more before. */
  async forget(): Promise<void> {
    const { clock, retainMs, maxKeptBytes } = this.context;
    for (let [oldest] = this.shelf.batches; oldest; [oldest] = this.shelf.batches) {
      if (oldest.confirmedAt === undefined) return;
      if (this.shelf.bytes <= maxKeptBytes) {
        if (clock() - oldest.confirmedAt < retainMs || !(await this.isStillThere(oldest))) return;
      }
      await this.shelf.removeOldest();
      for (const chain of oldest.chains ?? []) if (chain.isEmpty) this.chains.delete(chain.tenantId);
    }
  }

  private async isStillThere({ seq, chains = [] }: KeptBatch): Promise<boolean> {
    const idle = chains.filter((chain) => chain.last < endOf(seq));
    for (const chain of idle) chain.isDoubted = true;
    const failed = new Set<Chain>();
    await this.settleAll(idle, failed);
    return failed.size === 0;
  }

  /** Reads a batch for the first time and enters it in the chains of its tenants. */
  private async admit(batch: KeptBatch): Promise<boolean> {
    if (batch.chains) return true;
    try {
      const tenants = await this.shelf.readFirst(batch);
      batch.chains = [...tenants].map(([tenantId, series]) => {
        const chain = this.chainOf(tenantId);
        chain.append(this.shelf.partsOf(batch, series));
        return chain;
      });
      batch.waiting = new Set(batch.chains);
      return true;
    } catch (error) {
      // The next one must not overtake it, so all wait. An operator may remove the file, and give up what is in it.
      this.context.complaints.error(error, 'a journal file cannot be read, publication waits for it', {
        file: batch.path,
      });
      return false;
    }
  }

  private chainOf(tenantId: string): Chain {
    let chain = this.chains.get(tenantId);
    if (!chain) this.chains.set(tenantId, (chain = new Chain(tenantId)));
    return chain;
  }

  private async settleAll(chains: Iterable<Chain>, failed: Set<Chain>): Promise<void> {
    // One iterator for all: each takes the next when it has finished one.
    const queue = [...chains].filter((chain) => !failed.has(chain)).values();
    const worker = async (): Promise<void> => {
      for (const chain of queue) if (!(await this.settle(chain))) failed.add(chain);
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  }

  /** @returns whether the tenant's ledger has everything now. */
  private async settle(chain: Chain): Promise<boolean> {
    try {
      if (this.context.store.state !== 'ready') return false;
      if (chain.isDoubted) await this.ask(chain);
      for (let seq = chain.next(); seq !== undefined; seq = chain.next()) {
        if (this.context.store.state !== 'ready') return false;
        await this.apply(chain, seq);
      }
      chain.isDoubted = false;
      return true;
    } catch (error) {
      // Of its absence the store itself speaks.
      if (!(error instanceof StoreUnavailableError)) {
        const about = { tenantId: chain.tenantId, source: this.shelf.source };
        this.context.complaints.error(error, 'usage cannot be published, trying again', about);
      }
      return false;
    }
  }

  /** A batch that is to follow itself is added by no ledger: either it is there, or it is missing before itself. */
  private async ask(chain: Chain): Promise<void> {
    const { tenantId, confirmed } = chain;
    if (confirmed === 0) return;
    const { source } = this.shelf;
    const question = { source, seq: confirmed, after: confirmed, additions: [], cycleAdditions: [] };
    const last = await this.context.store.ledgers.apply(tenantId, question);
    if (last < confirmed) await this.repeatFrom(chain, last);
  }

  private async apply(chain: Chain, seq: number): Promise<void> {
    const { tenantId, confirmed: after } = chain;
    const { source } = this.shelf;
    const series = await this.shelf.part(seq, tenantId);
    await this.breather.take(series.length);
    const additions = additionsOf(series);
    const last = await this.context.store.ledgers.apply(tenantId, { source, seq, after, ...additions });
    if (last < after) return this.repeatFrom(chain, last);
    if (last < seq) throw new Error(`the ledger has ${last} although it was given ${seq}`);
    chain.confirmed = last;
  }

  private async repeatFrom(chain: Chain, last: number): Promise<void> {
    const { tenantId, confirmed } = chain;
    this.context.complaints.counts.storeLosses += 1;
    if (!(await this.context.exists(tenantId))) {
      // Its ledger was dropped with it.
      chain.confirmed = chain.last;
      return;
    }
    const { complaints } = this.context;
    const about = { tenantId, source: this.shelf.source, confirmed, last };
    if (chain.lost(last))
      complaints.error('the store', 'usage is lost: it is not in the journal any more', about);
    complaints.error(
      'the store',
      'confirmed usage was lost by the store and is repeated from the journal',
      about,
    );
  }
}
