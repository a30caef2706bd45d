import { keys, type LedgerDump, type Store } from '#libs/store';
import type { BackupLine } from './backup-line';
import { lineIn } from './check-backup';
import { backedUpIndexes, backedUpKeys, backedUpLedgers } from './export-lines';

/** Documents written at once. */
const PAGE = 100;

/** What is there before anybody has configured anything: a log of those who were refused, perhaps. */
const INCIDENTAL = /^gatehouse:audit/;

/**
 * Whether a restore would overwrite nothing. A store in which this very file was being restored counts as empty: whoever
 * was interrupted may begin again.
 */
export async function holdsNothing(store: Store, sha256: string): Promise<boolean> {
  if ((await store.documents.get(keys.RESTORE_MARK)) === sha256) return true;
  for (const prefix of ['tenant:', 'gatehouse:'])
    for await (const key of store.documents.scan(prefix))
      if (keys.isBackedUp(key) && !INCIDENTAL.test(key)) return false;
  for await (const _ of store.ledgers.list()) return false;
  return true;
}

/**
 * Makes a store hold what a backup does, and nothing else. What both have stays in service throughout: documents are
 * written over one by one, and removed at the end. May be repeated.
 * @param lines of a backup that was checked, without line ends.
 */
export async function restore(store: Store, lines: AsyncIterable<string>, sha256: string): Promise<void> {
  const { documents, ledgers } = store;
  await documents.put(keys.RESTORE_MARK, sha256, 'any');
  const kept = { documents: new Set<string>(), indexes: new Set<string>(), ledgers: new Set<string>() };
  const writing = new Pages((key, value) => documents.put(key, value, 'any'));
  let ledger: Gathered | undefined;
  const finish = async (): Promise<void> => {
    if (ledger) await ledgers.load(ledger.name, ledger.dump);
    ledger = undefined;
  };
  let number = 0;
  for await (const text of lines) {
    const line = lineIn(text, (number += 1));
    if (line.type === 'document') {
      kept.documents.add(line.key);
      await writing.add(line.key, line.value);
    } else if (line.type === 'index') {
      await writing.flush();
      if (!kept.indexes.has(line.name)) await documents.indexDrop(line.name);
      kept.indexes.add(line.name);
      await Promise.all(line.members.map((member) => documents.indexAdd(line.name, member)));
    } else if (line.type === 'ledger') {
      await finish();
      kept.ledgers.add(line.ledger);
      ledger = { name: line.ledger, dump: { cycle: line.cycle, tables: [], sources: [] } };
    } else if (ledger) gather(ledger, line);
  }
  await writing.flush();
  await finish();
  await removeOthers(store, kept);
  await documents.delete(keys.RESTORE_MARK, 'any');
}

interface Gathered {
  readonly name: string;
  readonly dump: {
    cycle: number;
    tables: Array<LedgerDump['tables'][number] & { amounts: Map<string, bigint> }>;
    sources: Array<LedgerDump['sources'][number]>;
  };
}

function gather({ dump }: Gathered, line: BackupLine): void {
  if (line.type === 'source') {
    const { source, seq, expiresAt } = line;
    dump.sources.push({ source, seq, expiresAt });
  }
  if (line.type !== 'table') return;
  const { name, expiresAt } = line;
  let table = dump.tables.find((one) => one.name === name);
  if (!table) dump.tables.push((table = { name, expiresAt, amounts: new Map() }));
  for (const [field, amount] of line.amounts) table.amounts.set(field, BigInt(amount));
}

async function removeOthers(
  store: Store,
  kept: { documents: Set<string>; indexes: Set<string>; ledgers: Set<string> },
): Promise<void> {
  const { documents, ledgers } = store;
  const stale = (await backedUpKeys(store)).filter((key) => !kept.documents.has(key));
  for (let at = 0; at < stale.length; at += PAGE)
    await Promise.all(stale.slice(at, at + PAGE).map((key) => documents.delete(key, 'any')));
  for (const name of await backedUpIndexes(store))
    if (!kept.indexes.has(name)) await documents.indexDrop(name);
  for (const ledger of await backedUpLedgers(store))
    if (!kept.ledgers.has(ledger)) await ledgers.drop(ledger);
}

/** Writes a page at a time. */
class Pages {
  private page: Array<readonly [key: string, value: string]> = [];

  constructor(private readonly write: (key: string, value: string) => Promise<unknown>) {}

  async add(key: string, value: string): Promise<void> {
    this.page.push([key, value]);
    if (this.page.length >= PAGE) await this.flush();
  }

  async flush(): Promise<void> {
    const { page } = this;
    this.page = [];
    await Promise.all(page.map(([key, value]) => this.write(key, value)));
  }
}
