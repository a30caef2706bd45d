import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';
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
export function checkAddresses(blocks: unknown, field: string, report: Report): void {
  if (!checkLength(blocks, field, report)) return;
  blocks.forEach((block, index) => {
    const objection = typeof block === 'string' ? objectionToBlock(block) : 'must be a text';
    if (objection) report(`${field}.${index}`, objection);
  });
}

function objectionToBlock(block: string): string | undefined {
  const [address = '', prefix, ...more] = block.split('/');
  const family = isIP(address);
  const bits = family === 4 ? 32 : 128;
  const prefixFits = prefix === undefined || (/^(?:0|[1-9]\d{0,2})$/.test(prefix) && Number(prefix) <= bits);
  // A zone has a meaning on one machine only (RFC 4007 §11.2).
  if (family === 0 || address.includes('%') || !prefixFits || more.length > 0)
    return 'must be an address or a block in CIDR notation, such as 10.0.0.0/8';
  const mapped = family === 6 && ipaddr.IPv6.parse(address).isIPv4MappedAddress();
  return mapped ? 'must be written as IPv4' : undefined;
}

/** Whether it is a list that is neither empty nor too long. */
export function checkLength(value: unknown, field: string, report: Report): value is unknown[] {
  const fits = Array.isArray(value) && value.length > 0 && value.length <= MAX_ENTRIES;
  if (!fits) report(field, `must be a list of 1 to ${MAX_ENTRIES} entries`);
  return fits;
}
