/**
 * Every table and field of a tenant's ledger that usage is kept in. Amounts are integers, money is nano-units.
 *
 * | table                       | field                          | amount                                         |
 * |-----------------------------|--------------------------------|------------------------------------------------|
 * | `day:<date>:<service or ->` | `<hh>\|<key>\|<route>\|<class>\|n` | requests of that UTC hour                      |
 * |                             | … `\|i`, `\|o`, `\|b`             | bytes in, bytes out, requests billed           |
 * | `totals`                    | `requests`                     | requests of any outcome                        |
 * |                             | `s\|<service>\|a`                | requests of a service, of any outcome          |
 * |                             | `s\|<service>\|n`                | its successful ones (the documented GET /usage) |
 * |                             | `s\|<service>\|k\|<key>\|n`        | the same by key                                |
 * |                             | `k\|<key>\|cost`, `k\|<key>\|billed` | nano-units and requests billed, of all time    |
 * | the open billing cycle      | `<plan version>\|<key>\|units`   | requests billed                                |
 * |                             | `<plan version>\|<key>\|cost`    | nano-units: units × the price of the moment    |
 * |                             | `access\|<key>\|n`               | billable responses, counted apart from units   |
 *
 * `s|<service>|a` lists the services that have tables, also one whose every request failed.
 * Names are escaped: `%7C` for `|`, `%25` for `%`. An API route has no service: its table ends in `-`.
 */
export const TOTALS = 'totals';

/** What a request counts as: 2 and 3 are successes; 101 (a WebSocket) is one, and what is above 599 is a failure. */
export type StatusClass = 2 | 3 | 4 | 5;

export function statusClass(status: number): StatusClass {
  return status < 300 ? 2 : status < 400 ? 3 : status < 500 ? 4 : 5;
}

export const isSuccess = (status: StatusClass): boolean => status <= 3;

export type Measure = 'n' | 'i' | 'o' | 'b';

/** One field of a day table, read back. */
export interface DayField {
  /** 0 to 23, UTC. */
  readonly hour: number;
  readonly keyId: string;
  readonly route: string;
  readonly statusClass: StatusClass;
  readonly measure: Measure;
}

/** @param date `YYYY-MM-DD` */
export function dayTable(date: string, serviceId: string): string {
  return `day:${date}:${serviceId === '' ? '-' : serviceId === '-' ? '%2D' : escaped(serviceId)}`;
}

export function parseDayTable(table: string): { date: string; serviceId: string } | undefined {
  const match = /^day:(\d{4}-\d\d-\d\d):(.+)$/s.exec(table);
  if (!match?.[1] || !match[2]) return undefined;
  return { date: match[1], serviceId: match[2] === '-' ? '' : unescaped(match[2]) };
}

/** A day field without its measure; append one of `MEASURES`. */
export function dayFieldPrefix(hour: number, keyId: string, route: string, status: StatusClass): string {
  return `${String(hour).padStart(2, '0')}|${escaped(keyId)}|${escaped(route)}|${status}|`;
}

export function parseDayField(field: string): DayField | undefined {
  const match = /^(\d\d)\|([^|]*)\|([^|]*)\|([2-5])\|([niob])$/.exec(field);
  if (!match) return undefined;
  return {
    hour: Number(match[1]),
    keyId: unescaped(match[2] ?? ''),
    route: unescaped(match[3] ?? ''),
    statusClass: Number(match[4]) as StatusClass,
    measure: match[5] as Measure,
  };
}

/** Names of fields of `totals`. */
export const totals = {
  requests: 'requests',
  serviceAll: (serviceId: string) => `s|${escaped(serviceId)}|a`,
  service: (serviceId: string) => `s|${escaped(serviceId)}|n`,
  serviceKey: (serviceId: string, keyId: string) => `s|${escaped(serviceId)}|k|${escaped(keyId)}|n`,
  keyCost: (keyId: string) => `k|${escaped(keyId)}|cost`,
  keyBilled: (keyId: string) => `k|${escaped(keyId)}|billed`,
};

/** A field of `totals`, read back. */
export type TotalsField =
  | { readonly of: 'requests' }
  | { readonly of: 'serviceAll' | 'service'; readonly serviceId: string }
  | { readonly of: 'serviceKey'; readonly serviceId: string; readonly keyId: string }
  | { readonly of: 'keyCost' | 'keyBilled'; readonly keyId: string };

export function parseTotalsField(field: string): TotalsField | undefined {
  const parts = field.split('|');
  const [kind, first, second, third] = parts;
  const name = unescaped(first ?? '');
  if (field === totals.requests) return { of: 'requests' };
  if (kind === 's' && parts.length === 3 && second === 'a') return { of: 'serviceAll', serviceId: name };
  if (kind === 's' && parts.length === 3 && second === 'n') return { of: 'service', serviceId: name };
  if (kind === 's' && parts.length === 5 && second === 'k' && parts[4] === 'n')
    return { of: 'serviceKey', serviceId: name, keyId: unescaped(third ?? '') };
  if (kind === 'k' && parts.length === 3 && second === 'cost') return { of: 'keyCost', keyId: name };
  if (kind === 'k' && parts.length === 3 && second === 'billed') return { of: 'keyBilled', keyId: name };
  return undefined;
}

/** Names of fields of the open billing cycle. */
export const cycle = {
  units: (planVersion: string, keyId: string) => `${escaped(planVersion)}|${escaped(keyId)}|units`,
  cost: (planVersion: string, keyId: string) => `${escaped(planVersion)}|${escaped(keyId)}|cost`,
  access: (keyId: string) => `access|${escaped(keyId)}|n`,
};

/** A field of a billing cycle, read back. */
export type CycleField =
  | { readonly of: 'units' | 'cost'; readonly planVersion: string; readonly keyId: string }
  | { readonly of: 'access'; readonly keyId: string };

export function parseCycleField(field: string): CycleField | undefined {
  const [plan, key, measure, ...rest] = field.split('|');
  if (plan === undefined || key === undefined || rest.length > 0) return undefined;
  if (measure === 'units' || measure === 'cost')
    return { of: measure, planVersion: unescaped(plan), keyId: unescaped(key) };
  return measure === 'n' && plan === 'access' ? { of: 'access', keyId: unescaped(key) } : undefined;
}

/**
 * What separates fields, and what a ledger takes for no name at all: one such route would keep everything else of its
 * batch from being published. Half a surrogate pair cannot be kept, as it has no UTF-8.
 */
function escaped(name: string): string {
  if (!/[|%\0\p{Surrogate}]/u.test(name)) return name;
  return name.replace(/[|%\0]/g, (char) => ESCAPED[char] ?? char).replace(/\p{Surrogate}/gu, '\u{fffd}');
}

const ESCAPED: Record<string, string> = { '%': '%25', '|': '%7C', '\0': '%00' };
const UNESCAPED: Record<string, string> = { '%00': '\0', '%25': '%', '%2D': '-', '%7C': '|' };

function unescaped(name: string): string {
  return name.includes('%') ? name.replace(/%(?:00|25|2D|7C)/g, (code) => UNESCAPED[code] ?? code) : name;
}
