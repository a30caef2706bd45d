import type { LedgerBatch } from '#libs/store';
import type { SeriesSums, Sum } from './journal/series-sums';
import { TOTALS, cycle, dayFieldPrefix, dayTable, isSuccess, totals, type StatusClass } from './usage-tables';

/** What a batch adds to the ledger of one tenant. */
export type Additions = Pick<LedgerBatch, 'additions' | 'cycleAdditions' | 'lifetimes'>;

/** Amounts by field; numbers as long as they are exact. */
type Fields = Map<string, bigint | number>;

const DAY_MS = 86_400_000;
/** Longer by a day than what may be asked for: a table bears the date of its first hour. */
const DAY_TABLE_LIFETIME_MS = 401 * DAY_MS;
const HOURS = 24;
const HOUR_MS = 3_600_000;
/** A single addition holds no more; a larger amount is added in several. */
const MOST = BigInt(Number.MAX_SAFE_INTEGER);

/** @param series all of one tenant. */
export function additionsOf(series: readonly SeriesSums[]): Additions {
  const tables = new Map<string, Fields>();
  const ofCycle: Fields = new Map();
  const days = new Map<string, string>();
  for (const sums of series) {
    const { serviceId, keyId } = sums.identity;
    let recorded = 0;
    let successful = 0;
    let billed = 0;
    for (const [hour, status, sum] of sums) {
      addDay(fieldsOf(tables, dayTable(dateOf(hour, days), serviceId)), sums, hour, status, sum);
      recorded += sum.requests;
      if (isSuccess(status)) successful += sum.requests;
      billed += sum.billed;
    }
    const all = fieldsOf(tables, TOTALS);
    add(all, totals.requests, recorded);
    if (serviceId !== '') {
      add(all, totals.serviceAll(serviceId), recorded);
      add(all, totals.service(serviceId), successful);
      add(all, totals.serviceKey(serviceId, keyId), successful);
    }
    addBilled(all, ofCycle, sums, billed);
    // Where the count made at the response was lost with its process, the journal's lines have to do.
    add(ofCycle, cycle.access(keyId), sums.responses ?? billed);
  }
  const additions = [...tables].flatMap(([table, fields]) =>
    listed(fields).map(([field, amount]) => [table, field, amount] as const),
  );
  tables.delete(TOTALS);
  const lifetimes = new Map([...tables.keys()].map((table) => [table, DAY_TABLE_LIFETIME_MS]));
  return { additions, cycleAdditions: listed(ofCycle), lifetimes };
}

function addDay(fields: Fields, sums: SeriesSums, hour: number, status: StatusClass, sum: Sum): void {
  const prefix = dayFieldPrefix(hour % HOURS, sums.identity.keyId, sums.identity.route, status);
  add(fields, `${prefix}n`, sum.requests);
  add(fields, `${prefix}i`, sum.bytesIn);
  add(fields, `${prefix}o`, sum.bytesOut);
  add(fields, `${prefix}b`, sum.billed);
}

/** The price is the one of the moment of the request: it came with the series. */
function addBilled(all: Fields, ofCycle: Fields, { identity }: SeriesSums, billed: number): void {
  const { keyId, planVersion, priceNano } = identity;
  const product = billed * priceNano;
  const cost = Number.isSafeInteger(product) ? product : BigInt(billed) * BigInt(priceNano);
  add(all, totals.keyBilled(keyId), billed);
  add(all, totals.keyCost(keyId), cost);
  add(ofCycle, cycle.units(planVersion, keyId), billed);
  add(ofCycle, cycle.cost(planVersion, keyId), cost);
}

function fieldsOf(tables: Map<string, Fields>, table: string): Fields {
  let fields = tables.get(table);
  if (!fields) tables.set(table, (fields = new Map<string, bigint | number>()));
  return fields;
}

function add(fields: Fields, field: string, amount: bigint | number): void {
  if (amount === 0 || amount === 0n) return;
  const before = fields.get(field) ?? 0;
  const sum = typeof before === 'number' && typeof amount === 'number' ? before + amount : Infinity;
  fields.set(field, Number.isSafeInteger(sum) ? sum : BigInt(before) + BigInt(amount));
}

function listed(fields: Fields): Array<readonly [field: string, amount: number]> {
  const list: Array<readonly [string, number]> = [];
  for (const [field, amount] of fields) {
    if (typeof amount === 'number') {
      list.push([field, amount]);
      continue;
    }
    let rest = amount;
    for (; rest > MOST; rest -= MOST) list.push([field, Number(MOST)]);
    list.push([field, Number(rest)]);
  }
  return list;
}

function dateOf(hour: number, known: Map<string, string>): string {
  const day = String(Math.floor(hour / HOURS));
  let date = known.get(day);
  if (!date) known.set(day, (date = new Date(Number(day) * HOURS * HOUR_MS).toISOString().slice(0, 10)));
  return date;
}
