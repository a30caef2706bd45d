import { createHash } from 'node:crypto';
import { keys, type Store } from '#libs/store';
import { byBytes, chunks, FORMAT, VERSION, type BackupLine } from './backup-line';

/** Documents read at once. */
const PAGE = 200;

/**
 * The lines of a backup, line ends included, sorted. What changes meanwhile is in it as it was before or after; a ledger is
 * of one moment. Takes some 100 bytes of memory for each document.
 */
export async function* exportLines(store: Store): AsyncIterable<string> {
  const digest = createHash('sha256');
  let lines = 0;
  for await (const line of contents(store)) {
    const text = `${JSON.stringify(line)}\n`;
    digest.update(text);
    lines += 1;
    yield text;
  }
  const end: BackupLine = { type: 'end', lines, sha256: digest.digest('hex') };
  yield `${JSON.stringify(end)}\n`;
}

async function* contents(store: Store): AsyncIterable<BackupLine> {
  yield { type: 'header', format: FORMAT, version: VERSION };
  yield* documentsOf(store);
  yield* indexesOf(store);
  yield* ledgersOf(store);
}

/** Keys of the documents that a backup holds, sorted. */
export async function backedUpKeys(store: Store): Promise<string[]> {
  const found = new Set<string>();
  for (const prefix of ['tenant:', 'gatehouse:'])
    for await (const key of store.documents.scan(prefix)) if (keys.isBackedUp(key)) found.add(key);
  return [...found].sort(byBytes);
}

async function* documentsOf(store: Store): AsyncIterable<BackupLine> {
  const all = await backedUpKeys(store);
  for (let at = 0; at < all.length; at += PAGE) {
    const page = all.slice(at, at + PAGE);
    const values = await Promise.all(page.map((key) => textOf(store, key)));
    for (const [i, key] of page.entries()) {
      const value = values[i];
      if (value !== undefined) yield { type: 'document', key, value };
    }
  }
}

/** Undefined also for what another program keeps there that is no text: nobody serves that. */
async function textOf(store: Store, key: string): Promise<string | undefined> {
  try {
    return await store.documents.get(key);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return undefined;
    throw error;
  }
}

export async function backedUpIndexes(store: Store): Promise<string[]> {
  const names = new Set<string>();
  for await (const name of store.documents.indexes()) if (keys.isIndex(name)) names.add(name);
  return [...names].sort(byBytes);
}

async function* indexesOf(store: Store): AsyncIterable<BackupLine> {
  for (const name of await backedUpIndexes(store)) {
    let page = await store.documents.indexPage(name, '', PAGE);
    while (page.length > 0) {
      yield { type: 'index', name, members: page };
      page = await store.documents.indexPage(name, page.at(-1) ?? '', PAGE);
    }
  }
}

export async function backedUpLedgers(store: Store): Promise<string[]> {
  const names = new Set<string>();
  for await (const ledger of store.ledgers.list()) names.add(ledger);
  return [...names].sort(byBytes);
}

async function* ledgersOf(store: Store): AsyncIterable<BackupLine> {
  for (const ledger of await backedUpLedgers(store)) {
    const { cycle, tables, sources } = await store.ledgers.dump(ledger);
    yield { type: 'ledger', ledger, cycle };
    for (const { name, expiresAt, amounts } of [...tables].sort((a, b) => byBytes(a.name, b.name))) {
      const sorted = [...amounts].sort(([a], [b]) => byBytes(a, b));
      for (const part of chunks(sorted)) {
        const texts = part.map(([field, amount]) => [field, String(amount)] as const);
        yield { type: 'table', ledger, name, expiresAt, amounts: texts };
      }
    }
    for (const { source, seq, expiresAt } of [...sources].sort((a, b) => byBytes(a.source, b.source)))
      yield { type: 'source', ledger, source, seq, expiresAt };
  }
}
