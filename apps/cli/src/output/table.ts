import { inline } from './printable';

/** A column: its heading, and where its values are in a row. */
export type Column<Row> = readonly [heading: string, value: (row: Row) => unknown];

/** Rows in columns of equal width, two spaces apart, without trailing spaces. */
export function table<Row>(rows: readonly Row[], columns: ReadonlyArray<Column<Row>>): string {
  const lines = [columns.map(([heading]) => heading), ...rows.map((row) => cells(row, columns))];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => width(line[i] ?? ''))));
  return lines.map((line) => joined(line, widths)).join('\n');
}

/** A document as `name  value` lines; what is absent is left out. */
export function fields(document: Record<string, unknown>): string {
  const shown = Object.entries(document).filter(([, value]) => value !== undefined && value !== null);
  const widest = Math.max(0, ...shown.map(([name]) => width(name)));
  return shown.map(([name, value]) => `${pad(inline(name), widest)}  ${inline(value)}`.trimEnd()).join('\n');
}

function cells<Row>(row: Row, columns: ReadonlyArray<Column<Row>>): string[] {
  return columns.map(([, value]) => inline(value(row)));
}

function width(text: string): number {
  return [...text].length;
}

function pad(text: string, to: number): string {
  return text + ' '.repeat(Math.max(0, to - width(text)));
}

function joined(line: string[], widths: number[]): string {
  return line
    .map((cell, i) => pad(cell, widths[i] ?? 0))
    .join('  ')
    .trimEnd();
}
