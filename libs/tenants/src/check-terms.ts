import { checkAddressList } from './check-client-rules';
import type { Report } from './field-checks';

/** Longer lists are a sign that something else is meant, and every look-up at a new key compiles them. */
const MAX_ENTRIES = 100;
/** RFC 3339, with the zone that `Date.parse` would otherwise make up. */
const DATE_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** A moment that is in the calendar: `Date.parse` takes the 30th of February for one in March. */
export function checkMoment(value: unknown, field: string, report: Report): void {
  const local = typeof value === 'string' ? DATE_TIME.exec(value)?.[1] : undefined;
  const time = local === undefined ? NaN : Date.parse(`${local}Z`);
  const real = !Number.isNaN(time) && new Date(time).toISOString().startsWith(String(local));
  if (!real || Number.isNaN(Date.parse(value as string)))
    report(field, 'must be a date and time with a time zone (ISO 8601), such as 2030-01-31T00:00:00Z');
}

/** Addresses and blocks of them, as API keys and maintenances list them. */
export function checkAddresses(list: unknown, field: string, report: Report): void {
  checkAddressList(list, field, MAX_ENTRIES, report);
}

/** Whether it is a list that is neither empty nor too long. */
export function checkLength(value: unknown, field: string, report: Report): value is unknown[] {
  const fits = Array.isArray(value) && value.length > 0 && value.length <= MAX_ENTRIES;
  if (!fits) report(field, `must be a list of 1 to ${MAX_ENTRIES} entries`);
  return fits;
}
