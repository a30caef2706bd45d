import type { LedgerBatch } from './store';

/** How long a ledger remembers a source after its last batch. */
export const SOURCE_LIFETIME_MS = 40 * 86_400_000;

/** The table of the open cycle before its number is known. Not a name that a caller may use. */
export const OPEN_CYCLE = 'cycle:';

export type Addition = readonly [field: string, amount: number];

/**
 * The additions of a batch by table, those to the open cycle under OPEN_CYCLE.
 * @throws RangeError for what one of the stores could not keep, or not exactly
 */
export function additionsByTable(batch: LedgerBatch): ReadonlyMap<string, readonly Addition[]> {
  if (!(Number.isSafeInteger(batch.seq) && batch.seq > 0)) throw new RangeError(`seq ${batch.seq} is no seq`);
  if (!(Number.isSafeInteger(batch.after) && batch.after >= 0))
    throw new RangeError(`after ${batch.after} is no seq`);
  const tables = new Map<string, Addition[]>();
  for (const [table, field, amount] of batch.additions) {
    // What has been closed must stay as it is, so nobody may choose the cycle.
    if (table.startsWith(OPEN_CYCLE)) throw new RangeError(`${table} is added to by cycleAdditions only`);
    checkName(table);
    const additions = tables.get(table);
    if (additions) additions.push(checked(field, amount));
    else tables.set(table, [checked(field, amount)]);
  }
  const ofCycle = batch.cycleAdditions.map(([field, amount]) => checked(field, amount));
  if (ofCycle.length > 0) tables.set(OPEN_CYCLE, ofCycle);
  return tables;
}

function checked(field: string, amount: number): Addition {
  checkName(field);
  if (!Number.isSafeInteger(amount)) throw new RangeError(`${amount} for ${field} is no exact amount`);
  return [field, amount];
}

/** A NUL ends a name that is read from SQLite, and half a surrogate pair has no UTF-8: two names would become one. */
function checkName(name: string): void {
  if (/[\0\p{Surrogate}]/u.test(name)) throw new RangeError(`${JSON.stringify(name)} is no name in a ledger`);
}
