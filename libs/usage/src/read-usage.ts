import { GatewayError, type FieldProblem } from '#libs/errors';
import type { Store } from '#libs/store';
import { TOTALS, dayTable, parseDayField, parseTotalsField, type DayField } from './usage-tables';

/** What rows are made for; without any there is one row with everything. */
export const USAGE_GROUPS = ['hour', 'day', 'key', 'route', 'status', 'service'] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];

export interface UsageQuery {
  /** A date (its midnight) or an instant with its offset, ISO 8601, down to the hour it is in. */
  readonly from: string;
  /** Like `from`, but up to the next full hour; what is from then on does not count. */
  readonly to: string;
  /** Empty for traffic to the tenant's own upstream; undefined for everything. */
  readonly serviceId?: string;
  readonly keyId?: string;
  readonly groupBy?: readonly UsageGroup[];
}

/** The sums of one group, with the values that make it one: `2026-01-31T10:00:00Z`, `2026-01-31`, ids, `2xx`. */
export type UsageRow = Partial<Record<UsageGroup, string>> & {
  requests: number;
  bytesIn: number;
  bytesOut: number;
  billed: number;
};

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Day tables are kept a little longer. */
export const MAX_USAGE_DAYS = 400;
/** Each takes the store some 50 µs, even if there is nothing in it. */
const MAX_TABLES = 10_000;
/** More would fill megabytes of memory for one answer. */
const MAX_ROWS = 10_000;
/** Tables asked for at a time: the store serves requests, too. */
const CONCURRENCY = 16;
const INSTANT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/**
 * What a tenant has used from one hour to another, in rows that are sorted by their groups.
 * @throws GatewayError validation_failed with the fields that are wrong, or for more than one answer can hold
 * @throws StoreUnavailableError
 */
export async function readUsage(
  store: Pick<Store, 'ledgers'>,
  tenantId: string,
  query: UsageQuery,
): Promise<UsageRow[]> {
  const { from, to, groupBy } = usageRange(query);
  const services = query.serviceId === undefined ? await servicesOf(store, tenantId) : [query.serviceId];
  const rows = new Map<string, UsageRow>();
  const read = async ({ day, serviceId }: { day: number; serviceId: string }): Promise<void> => {
    const date = new Date(day).toISOString().slice(0, 10);
    const fields = await store.ledgers.read(tenantId, dayTable(date, serviceId));
    for (const [name, amount] of fields) {
      const field = parseDayField(name);
      if (!field || (query.keyId !== undefined && field.keyId !== query.keyId)) continue;
      const at = day + field.hour * HOUR_MS;
      if (at < from || at >= to) continue;
      const groups = groupBy.map((group) => valueOf(group, date, serviceId, field));
      const key = JSON.stringify(groups);
      let row = rows.get(key);
      if (!row) {
        if (rows.size === MAX_ROWS)
          refuse('from', `makes more than ${MAX_ROWS} rows: ask for less time or fewer groups`);
        rows.set(key, (row = emptyRow(groupBy, groups)));
      }
      row[MEASURES[field.measure]] += Number(amount);
    }
  };
  const tables = tablesOf(from, to, services);
  if (tables.length > MAX_TABLES) refuse('from', `is too long ago for ${services.length} services at once`);
  await forAll(tables, read);
  return [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

const MEASURES = { n: 'requests', i: 'bytesIn', o: 'bytesOut', b: 'billed' } as const;

function emptyRow(groupBy: readonly UsageGroup[], values: readonly string[]): UsageRow {
  const groups = Object.fromEntries(groupBy.map((group, i) => [group, values[i]]));
  return { ...groups, requests: 0, bytesIn: 0, bytesOut: 0, billed: 0 };
}

function valueOf(group: UsageGroup, date: string, serviceId: string, field: DayField): string {
  switch (group) {
    case 'hour':
      return `${date}T${String(field.hour).padStart(2, '0')}:00:00Z`;
    case 'day':
      return date;
    case 'key':
      return field.keyId;
    case 'route':
      return field.route;
    case 'status':
      return `${field.statusClass}xx`;
    case 'service':
      return serviceId;
  }
}

/** Milliseconds since the epoch, of whole hours; `to` is not included. */
export interface UsageRange {
  from: number;
  to: number;
  groupBy: readonly UsageGroup[];
}

/** @throws GatewayError validation_failed with the fields that are wrong */
export function usageRange(query: UsageQuery): UsageRange {
  const problems: FieldProblem[] = [];
  const instant = (field: 'from' | 'to'): number => {
    const text = query[field];
    const date = text.slice(0, 10);
    const at = INSTANT.test(text) ? Date.parse(text) : NaN;
    // Date.parse takes 30 February for 2 March.
    if (!Number.isNaN(at) && new Date(Date.parse(date)).toISOString().startsWith(date)) return at;
    problems.push({ field, message: 'must be a date (2026-01-31) or an instant (2026-01-31T10:00:00Z)' });
    return NaN;
  };
  const from = Math.floor(instant('from') / HOUR_MS) * HOUR_MS;
  const to = Math.ceil(instant('to') / HOUR_MS) * HOUR_MS;
  if (from >= to) problems.push({ field: 'to', message: 'must be later than from' });
  if (to - from > MAX_USAGE_DAYS * DAY_MS)
    problems.push({ field: 'to', message: `must be within ${MAX_USAGE_DAYS} days of from` });
  const groupBy = [...new Set(query.groupBy ?? [])];
  if (!groupBy.every((group) => USAGE_GROUPS.includes(group)))
    problems.push({ field: 'groupBy', message: `must be some of ${USAGE_GROUPS.join(', ')}` });
  if (problems.length > 0) throw new GatewayError('validation_failed', undefined, { fields: problems });
  return { from, to, groupBy };
}

function refuse(field: string, message: string): never {
  throw new GatewayError('validation_failed', undefined, { fields: [{ field, message }] });
}

/** Every service that has ever been asked for, and the tenant's own upstream. */
async function servicesOf(store: Pick<Store, 'ledgers'>, tenantId: string): Promise<string[]> {
  const services = [''];
  for (const name of (await store.ledgers.read(tenantId, TOTALS)).keys()) {
    const field = parseTotalsField(name);
    if (field?.of === 'serviceAll') services.push(field.serviceId);
  }
  return services;
}

function tablesOf(
  from: number,
  to: number,
  services: readonly string[],
): Array<{ day: number; serviceId: string }> {
  const tables: Array<{ day: number; serviceId: string }> = [];
  for (let day = Math.floor(from / DAY_MS) * DAY_MS; day < to; day += DAY_MS)
    for (const serviceId of services) tables.push({ day, serviceId });
  return tables;
}

async function forAll<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}
