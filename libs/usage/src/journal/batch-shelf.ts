import { rm } from 'node:fs/promises';
import { condense, readBatchFile } from './batch-file';
import type { BatchContent } from './batch-reader';
import type { Chain } from './chain';
import type { Complaints } from './complaints';
import type { SealedBatch } from './journal';
import type { SeriesSums } from './series-sums';

/** What a batch holds, by tenant. */
export type BatchByTenant = ReadonlyMap<string, readonly SeriesSums[]>;

/** A sealed batch and how far it has come. */
export interface KeptBatch extends SealedBatch {
  bytes: number;
  inMemory: readonly SeriesSums[];
  /** Those of the tenants in it; undefined until it has been read for the first time. */
  chains?: readonly Chain[];
  /** Of them, those whose ledger has not confirmed it. */
  waiting: Set<Chain>;
  /** When the last of them had. */
  confirmedAt?: number;
}

/**
 * A ledger is given a batch in parts of so many series, each under a number of its own: a thousand additions keep the
 * store, and this process, for a millisecond each. What is in a part depends on the file alone, which never changes, so
 * that it is the same for whoever repeats it.
 */
export const PART_SERIES = 100;
const MAX_PARTS = 1000;

/** The numbers that follow those of a batch. */
export const endOf = (batchSeq: number): number => (batchSeq + 1) * MAX_PARTS;

/** Batches held in memory while many tenants repeat theirs. */
const MAX_READ_BATCHES = 4;

/** The sealed batches of one source, in order, and what is in them. */
export class BatchShelf {
  readonly batches: KeptBatch[] = [];
  /** On disk, of all batches. */
  bytes = 0;
  private readonly read = new Map<number, Promise<BatchByTenant>>();

  constructor(
    readonly source: string,
    private readonly complaints: Complaints,
  ) {}

  /** @param sealed one that comes after all that were added before. */
  add({ seq, begunAt, path, bytes, inMemory }: SealedBatch): void {
    this.batches.push({ seq, begunAt, path, bytes, inMemory, waiting: new Set() });
    this.bytes += bytes;
  }

  /** The first reading: what is wrong with the file is reported, and if it is large it is rewritten as sums. */
  async readFirst(batch: KeptBatch): Promise<BatchByTenant> {
    const { series, unreadable, tornBytes } = await this.readFile(batch);
    const about = { file: batch.path, unreadable, tornBytes };
    if (tornBytes > 0) this.complaints.counts.tornLines += 1;
    this.complaints.counts.unreadableLines += unreadable;
    if (unreadable + tornBytes > 0)
      this.complaints.error('there are lines that cannot be read', 'a journal file is damaged', about);
    const all = [...series, ...batch.inMemory];
    // A damaged file stays as it is, for whoever wants to find out why.
    if (unreadable === 0) await this.condense(batch, all);
    const content = byTenant(all);
    this.remember(batch.seq, Promise.resolve(content));
    return content;
  }

  /** The numbers of the parts that a tenant's series make. */
  partsOf(batch: KeptBatch, series: readonly SeriesSums[]): number[] {
    const count = Math.ceil(series.length / PART_SERIES);
    if (count > MAX_PARTS) throw new Error(`batch ${batch.seq} has ${series.length} series of one tenant`);
    return Array.from({ length: count }, (_, part) => batch.seq * MAX_PARTS + part);
  }

  /** One part of what a tenant has in a batch. */
  async part(seq: number, tenantId: string): Promise<readonly SeriesSums[]> {
    const batchSeq = Math.floor(seq / MAX_PARTS);
    let content = this.read.get(batchSeq);
    if (!content) {
      content = this.readAgain(batchSeq);
      this.remember(batchSeq, content);
      content.catch(() => this.read.delete(batchSeq));
    }
    const first = (seq % MAX_PARTS) * PART_SERIES;
    return (await content).get(tenantId)?.slice(first, first + PART_SERIES) ?? [];
  }

  /** It is on disk, and will hardly be asked for again. */
  release(batch: KeptBatch): void {
    this.read.delete(batch.seq);
  }

  /** Forgets the oldest batch. */
  async removeOldest(): Promise<void> {
    const batch = this.batches.shift();
    if (!batch) return;
    this.bytes -= batch.bytes;
    this.release(batch);
    for (const chain of batch.chains ?? []) chain.forget(endOf(batch.seq));
    await rm(batch.path, { force: true }).catch((error: unknown) =>
      this.complaints.error(error, 'a published journal file cannot be removed', { file: batch.path }),
    );
  }

  private async readAgain(seq: number): Promise<BatchByTenant> {
    const batch = this.batches.find((kept) => kept.seq === seq);
    if (!batch) throw new Error(`there is no batch ${seq} of ${this.source}`);
    const { series } = await this.readFile(batch);
    return byTenant([...series, ...batch.inMemory]);
  }

  private async readFile(batch: KeptBatch): Promise<BatchContent> {
    const content = await readBatchFile(batch.path);
    if (batch.bytes > 0 && content.series.length === 0)
      this.complaints.error('it is gone, or empty', 'usage in a journal file is lost', { file: batch.path });
    return content;
  }

  private async condense(batch: KeptBatch, series: readonly SeriesSums[]): Promise<void> {
    try {
      const bytes = await condense(batch, series);
      if (bytes === undefined) return;
      this.bytes += bytes - batch.bytes;
      batch.bytes = bytes;
      batch.inMemory = [];
    } catch (error) {
      this.complaints.error(error, 'a journal file cannot be condensed', { file: batch.path });
    }
  }

  private remember(seq: number, content: Promise<BatchByTenant>): void {
    this.read.set(seq, content);
    for (const oldest of this.read.keys()) {
      if (this.read.size <= MAX_READ_BATCHES) break;
      this.read.delete(oldest);
    }
  }
}

function byTenant(series: readonly SeriesSums[]): BatchByTenant {
  const content = new Map<string, SeriesSums[]>();
  for (const sums of series) {
    const { tenantId } = sums.identity;
    const known = content.get(tenantId);
    if (known) known.push(sums);
    else content.set(tenantId, [sums]);
  }
  return content;
}
