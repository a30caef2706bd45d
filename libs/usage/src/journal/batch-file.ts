import { open, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { definitionOf } from '../series';
import { BatchReader, type BatchContent } from './batch-reader';
import type { SealedBatch } from './journal';
import { SEALED, SUMS_COMPLETE, definitionLine, responsesLine, sumLines } from './journal-lines';
import type { SeriesSums } from './series-sums';

/** Read at a time: half a millisecond of work, after which others get their turn. */
const PIECE_BYTES = 64 * 1024;
/** A smaller file is not worth rewriting. */
const SMALL_BYTES = 64 * 1024;
/** What one series takes in a file of sums. */
const CONDENSED_BYTES = 120;

/** The batches in a folder that nobody writes to any more, in the order of their numbers. */
export async function findBatches(folder: string): Promise<SealedBatch[]> {
  const found: SealedBatch[] = [];
  for (const name of await readdir(folder)) {
    const seq = Number(/^(\d{1,15})\.log$/.exec(name)?.[1] ?? 0);
    if (seq === 0) continue;
    const path = join(folder, name);
    const { size, mtimeMs } = await stat(path);
    found.push({ seq, begunAt: mtimeMs, path, bytes: size, inMemory: [] });
  }
  return found.sort((a, b) => a.seq - b.seq);
}

/**
 * What is in a batch's file, nothing if there is none.
 * @throws what the disk says
 */
export async function readBatchFile(path: string): Promise<BatchContent> {
  const reader = new BatchReader();
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    for (;;) {
      const { bytesRead } = (await file?.read(piece, 0, PIECE_BYTES)) ?? { bytesRead: 0 };
      if (bytesRead === 0) return reader.content();
      reader.feed(piece.subarray(0, bytesRead));
    }
  } finally {
    await file?.close();
  }
}

/**
 * Rewrites a file of many requests as one of their sums, which stand for the same batch. A day's backlog is megabytes
 * then instead of a gigabyte, and what is kept of confirmed batches takes next to nothing.
 * @returns the new size, or undefined if it would not be worth it.
 * @throws what the disk says; the file is as it was, then.
 */
export async function condense(
  batch: SealedBatch,
  series: readonly SeriesSums[],
): Promise<number | undefined> {
  const worthwhile = batch.bytes > SMALL_BYTES && series.length * CONDENSED_BYTES * 2 < batch.bytes;
  if (!worthwhile && batch.inMemory.length === 0) return undefined;
  const text = condensed(series);
  const draft = `${batch.path}.new`;
  try {
    await writeFile(draft, text, { mode: 0o600 });
    // The age of the file is the age of the batch: a successor goes by it.
    await utimes(draft, batch.begunAt / 1000, batch.begunAt / 1000);
    await rename(draft, batch.path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  return Buffer.byteLength(text);
}

function condensed(series: readonly SeriesSums[]): string {
  let text = '';
  for (const [number, sums] of series.entries())
    text += definitionLine(number, definitionOf(sums.identity)) + sumLines(number, sums);
  text += SUMS_COMPLETE;
  const counted = series.some(({ responses }) => responses !== undefined);
  for (const [number, { responses }] of series.entries())
    if (responses !== undefined) text += responsesLine(number, responses);
  return counted ? text + SEALED : text;
}
