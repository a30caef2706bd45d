import type { UsageRow } from '../api/types';

const COLUMNS = ['hour', 'day', 'service_id', 'api_key_id', 'route', 'status', 'requests', 'billed', 'bytes_in', 'bytes_out'] as const; // prettier-ignore

/** RFC 4180; of the columns only those that some row has. */
export function csvOf(rows: readonly UsageRow[]): string {
  const columns = COLUMNS.filter((name) => rows.some((row) => row[name] !== undefined));
  const lines = rows.map((row) => columns.map((name) => cell(row[name])).join(','));
  return [columns.join(','), ...lines, ''].join('\r\n');
}

/** Spreadsheets take what begins like a formula for one; an apostrophe makes it a text. */
function cell(value: string | number | null | undefined): string {
  if (typeof value === 'number') return String(value);
  const text = value ?? '';
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
