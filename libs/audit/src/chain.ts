import { hash } from 'node:crypto';
import { keys, versionOf, type Store } from '#libs/store';
import { canonicalJson } from './canonical-json';

/** What makes an entry a link: its number, the digest of the one before, and its own over everything else in it. */
export interface Link {
  /** From 1, without gaps. */
  readonly seq: number;
  /** ISO 8601; never before that of the entry before, unless the clock of that one's process was far ahead. */
  readonly at: string;
  readonly previousHash: string;
  /** Hex SHA-256 of the canonical JSON of all other members. */
  readonly hash: string;
}

export type Linked<T> = T & Link;

/** What the next entry has to know of the last one. */
export type End = Pick<Link, 'seq' | 'at' | 'hash'>;

/** Where a chain begins after its oldest entries were removed: the last one of those. */
export interface Anchor {
  readonly seq: number;
  readonly hash: string;
  /** Up to here they have been deleted; a crash may have left some behind it. */
  readonly swept: number;
}

/** Comes before the first entry. */
export const FIRST_HASH = '0'.repeat(64);
const START: Anchor = { seq: 0, hash: FIRST_HASH, swept: 0 };
const BATCH = 100;
/** By so much clocks differ. A time further ahead is carried on by nobody, or all that follow would bear it for years. */
const CLOCKS_DIFFER_MS = 300_000;
/** Of so many writers of one chain, each round lets one through. */
const MAX_ROUNDS = 500;

/**
 * A list in the store that is only appended to, and in which nothing can be changed or left out unnoticed. Whoever appends
 * entry n + 1 has read entry n and names its digest; and as a document is written only where there is none, one of all
 * writers, on whichever replica, gets the number. So the order is the same for everybody, in Redis, in a cluster (where the
 * entries need no common slot) and in the embedded store.
 */
export class Chain<T extends object> {
  /** Where the end was last seen. */
  private known = 0;
  private appending: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: Store,
    readonly name: string,
  ) {}

  /** Appends, after whatever this process has appended before. @throws StoreUnavailableError */
  append(body: T, now = Date.now()): Promise<Linked<T>> {
    const done = this.appending.then(() => this.link(body, now));
    this.appending = done.catch(() => undefined);
    return done;
  }

  async read(seq: number): Promise<Linked<T> | undefined> {
    const text = await this.store.documents.get(keys.chainEntry(this.name, seq));
    return text === undefined ? undefined : (JSON.parse(text) as Linked<T>);
  }

  /**
   * Up to a hundred entries, the newest first, from `seq` downwards; none at the anchor only. What is missing or cannot be
   * read is left out: a damaged entry must not hide those before it.
   */
  async readBack(seq: number): Promise<Array<Linked<T>>> {
    const { seq: behind } = await this.anchor();
    for (let top = seq; top > behind; top -= BATCH) {
      const numbers = Array.from({ length: Math.min(BATCH, top - behind) }, (_, i) => top - i);
      const found = await Promise.all(numbers.map((number) => this.readable(number)));
      const entries = found.filter((entry) => entry !== undefined);
      if (entries.length > 0) return entries;
    }
    return [];
  }

  /** Where the newest entry is, and its digest; undefined in an empty chain. */
  async newest(): Promise<End | undefined> {
    const hint = Math.max(this.known, await this.hint());
    const entry = hint > 0 ? await this.last(hint) : undefined;
    // Nothing where it was said to be: the chain was trimmed, lost or restored.
    const from = entry ? hint : (await this.anchor()).seq;
    const last = await this.lastAfter(from);
    this.known = last;
    return last === hint ? entry : this.last(last);
  }

  async anchor(): Promise<Anchor> {
    const text = await this.store.documents.get(keys.chainAnchor(this.name));
    return text === undefined ? START : (JSON.parse(text) as Anchor);
  }

  /** The last number that was said to be in use. What lies behind it may be in use as well. */
  async hint(): Promise<number> {
    return Number((await this.store.documents.get(keys.chainHead(this.name))) ?? 0);
  }

  /** The greatest number of an entry that is older than a moment (milliseconds since the epoch); that of the anchor for none. */
  async lastBefore(time: number): Promise<number> {
    const newest = await this.newest();
    let { seq: low } = await this.anchor();
    let high = newest?.seq ?? low;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const entry = await this.readable(middle);
      // Removed meanwhile: it is older than all that is left.
      if (!entry || Date.parse(entry.at) < time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /**
   * Removes the oldest entries, all but `max`, and those from before `since` (milliseconds since the epoch). The newest
   * one stays: the next one needs it.
   */
  async trim(max: number, since = 0): Promise<void> {
    const newest = await this.newest();
    if (!newest) return;
    const aged = since > 0 ? await this.lastBefore(since) : 0;
    const cut = Math.min(newest.seq - 1, Math.max(newest.seq - max, aged));
    const anchor = await this.moveAnchor(cut);
    if (!anchor || anchor.swept >= anchor.seq) return;
    for (let seq = anchor.swept + 1; seq <= anchor.seq; seq += BATCH) {
      const numbers = Array.from({ length: Math.min(BATCH, anchor.seq - seq + 1) }, (_, i) => seq + i);
      await Promise.all(
        numbers.map((n) => this.store.documents.delete(keys.chainEntry(this.name, n), 'any')),
      );
    }
    const before = JSON.stringify(anchor);
    const swept = JSON.stringify({ ...anchor, swept: anchor.seq });
    const expected = { version: versionOf(before) };
    await this.store.documents.put(keys.chainAnchor(this.name), swept, expected);
  }

  /**
   * What the next entry follows. Where somebody has spoilt it, that is what is there now: the chain goes on, broken at
   * this place for everybody to see.
   */
  private async last(seq: number): Promise<End | undefined> {
    const text = await this.store.documents.get(keys.chainEntry(this.name, seq));
    if (text === undefined) return undefined;
    const entry: Partial<End> | undefined = await this.readable(seq);
    const { hash: digest, at = '' } = entry ?? {};
    if (typeof digest === 'string' && !Number.isNaN(Date.parse(at))) return { seq, at, hash: digest };
    return { seq, at: new Date(0).toISOString(), hash: hash('sha256', text, 'hex') };
  }

  private async readable(seq: number): Promise<Linked<T> | undefined> {
    try {
      const entry = (await this.read(seq)) as Linked<T> | null | undefined;
      // Its number is where it lies, whatever it says.
      return typeof entry === 'object' && entry !== null ? { ...entry, seq } : undefined;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  private async link(body: T, now: number): Promise<Linked<T>> {
    let last = await this.newest();
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const entry = linked({ ...body, chain: this.name }, last, now);
      const key = keys.chainEntry(this.name, entry.seq);
      if (await this.store.documents.put(key, JSON.stringify(entry), 'absent')) {
        if (await this.isTrimmed(entry.seq)) {
          await this.store.documents.delete(key, 'any');
          last = await this.newest();
          continue;
        }
        this.known = entry.seq;
        await this.store.documents.put(keys.chainHead(this.name), String(entry.seq), 'any');
        return entry;
      }
      last = (await this.last(entry.seq)) ?? (await this.newest());
    }
    throw new Error(`others kept appending to the chain ${this.name} at the same time`);
  }

  /**
   * Whether a number was used, and its entry removed, before: whoever has stood still for so long that others went on and
   * trimmed finds it free, and nobody would ever find what lies there.
   */
  private async isTrimmed(seq: number): Promise<boolean> {
    return seq <= (await this.anchor()).seq;
  }

  /** @returns the anchor as it is then; undefined where somebody else has moved it meanwhile. */
  private async moveAnchor(cut: number): Promise<Anchor | undefined> {
    const anchor = await this.anchor();
    if (cut <= anchor.seq) return anchor;
    const entry = await this.read(cut);
    if (!entry) return undefined;
    const moved = { seq: cut, hash: entry.hash, swept: anchor.swept };
    const expected = anchor === START ? 'absent' : { version: versionOf(JSON.stringify(anchor)) };
    const done = await this.store.documents.put(keys.chainAnchor(this.name), JSON.stringify(moved), expected);
    return done ? moved : undefined;
  }

  /** The number of the last entry, where none is missing after `from`: by doubling steps, then by halving. */
  private async lastAfter(from: number): Promise<number> {
    const exists = async (seq: number): Promise<boolean> =>
      (await this.store.documents.get(keys.chainEntry(this.name, seq))) !== undefined;
    let low = from;
    let step = 1;
    while (await exists(low + step)) {
      low += step;
      step *= 2;
    }
    for (let high = low + step; high - low > 1;) {
      const middle = Math.floor((low + high) / 2);
      if (await exists(middle)) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** The entry that follows another one. */
export function linked<T extends object>(body: T, last: End | undefined, now: number): Linked<T> {
  const before = last ? Date.parse(last.at) : 0;
  const at = new Date(before - now > CLOCKS_DIFFER_MS ? now : Math.max(now, before)).toISOString();
  const previousHash = last?.hash ?? FIRST_HASH;
  const entry = { ...body, seq: (last?.seq ?? 0) + 1, at, previousHash };
  return { ...entry, hash: digestOf(entry) };
}

/** The digest that an entry must have. */
export function digestOf(entry: object): string {
  const { hash: _, ...rest } = entry as { hash?: string };
  return hash('sha256', canonicalJson(rest), 'hex');
}
