import type { Statement } from './statement';

const COLUMNS = [
  'statementId',
  'tenantId',
  'cycle',
  'currency',
  'item',
  'keyId',
  'keyName',
  'serviceId',
  'planId',
  'requests',
  'unitPrice',
  'amount',
] as const;

type Row = Partial<Record<(typeof COLUMNS)[number], string | number>>;

/**
 * What spreadsheets take for the beginning of a formula (OWASP, CSV Injection), full-width forms included: some of them
 * fold these first.
 */
const FORMULA_START = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/**
 * A statement as CSV (RFC 4180): a row per key, per fee, and one for the total, told apart by `item`. Chosen texts that
 * a spreadsheet would compute get a leading apostrophe.
 */
export function toCsv(statement: Statement): string {
  const { id: statementId, tenantId, cycle, currency, lines, fees, total } = statement;
  const rows: Row[] = [
    ...lines.map(({ cost, ...line }) => ({ item: 'requests', ...line, amount: cost })),
    ...fees.map(({ planId, amount }) => ({ item: 'fee', planId, amount })),
    { item: 'total', amount: total },
  ];
  const table = rows.map((row) => ({ statementId, tenantId, cycle, currency, ...row }));
  // Every line ends with CRLF, the last one too (§2.1, §2.2).
  return [COLUMNS.join(','), ...table.map(csvRow)].map((line) => `${line}\r\n`).join('');
}

function csvRow(row: Row): string {
  return COLUMNS.map((column) => {
    const text = String(row[column] ?? '');
    return quoted(FORMULA_START.test(text) ? `'${text}` : text);
  }).join(',');
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
