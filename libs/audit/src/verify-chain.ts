import { setImmediate as nextTurn } from 'node:timers/promises';
import { digestOf, type Anchor, type Chain, type Link } from './chain';

/** What is found when a chain is gone through from its anchor to its end. */
export interface ChainVerdict {
  readonly chain: string;
  /** Numbers of the first and the last entry; `to` is less than `from` in an empty chain. */
  readonly from: number;
  readonly to: number;
  /** Entries that are as they were written. */
  readonly entries: number;
  /** Digest of the last of them: whoever notes it elsewhere can tell later that nothing before it was changed or cut off. */
  readonly head?: string;
  readonly ok: boolean;
  /** The first entry that is not as it was written, and all that can be said of it. */
  readonly broken?: { readonly seq: number; readonly reason: string };
}

const BATCH = 100;

/** Goes through a chain. Entries that are appended meanwhile may be left out. */
export async function verifyChain(chain: Chain<object>): Promise<ChainVerdict> {
  const anchor = await chain.anchor();
  const hint = await chain.hint();
  let last: Pick<Link, 'seq' | 'hash'> = anchor;
  const verdict = (broken?: ChainVerdict['broken']): ChainVerdict => ({
    chain: chain.name,
    from: anchor.seq + 1,
    to: last.seq,
    entries: last.seq - anchor.seq,
    head: last.seq > anchor.seq ? last.hash : undefined,
    ok: broken === undefined,
    broken,
  });
  for (;;) {
    const numbers = Array.from({ length: BATCH }, (_, i) => last.seq + 1 + i);
    const read = await Promise.all(numbers.map((seq) => readable(chain, seq)));
    for (const [i, entry] of read.entries()) {
      const seq = numbers[i] ?? 0;
      if (entry === undefined && seq > hint) return verdict();
      const reason = entry === undefined ? 'is missing' : faultOf(entry, seq, last);
      if (reason !== undefined) {
        // Trimmed behind our back: what is left is gone through again.
        if (moved(anchor, await chain.anchor())) return verifyChain(chain);
        return verdict({ seq, reason });
      }
      last = entry as Link;
    }
    await nextTurn();
  }
}

async function readable(chain: Chain<object>, seq: number): Promise<Link | 'unreadable' | undefined> {
  try {
    return await chain.read(seq);
  } catch (error) {
    if (error instanceof SyntaxError) return 'unreadable';
    throw error;
  }
}

function faultOf(entry: Link | 'unreadable', seq: number, last: Pick<Link, 'hash'>): string | undefined {
  if (entry === 'unreadable' || typeof entry !== 'object' || entry === null) return 'cannot be read';
  if (entry.seq !== seq) return 'has the number of another one';
  if (entry.previousHash !== last.hash) return 'does not follow the one before it';
  return entry.hash === digestOf(entry) ? undefined : 'has been changed';
}

function moved(before: Anchor, after: Anchor): boolean {
  return before.seq !== after.seq;
}
