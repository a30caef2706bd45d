/** `error` refuses the file; `warning` is served and should be looked at; `info` says what is done differently here. */
export type Severity = 'error' | 'warning' | 'info';

/** Keys and indexes from the top of a file. */
export type Path = readonly (string | number)[];

/** Something that is to be said about a file, and where; lines and columns count from 1. Safe to show. */
export interface FileProblem {
  line: number;
  column: number;
  /** Dotted path; empty for the file as a whole. */
  field: string;
  message: string;
  severity: Severity;
}

/** What is to be said about a field, before it is known where that stands. */
export interface PlacedProblem {
  path: Path;
  message: string;
  severity: Severity;
  /** Whether the name of the last field is at fault, and not its value. */
  atKey?: boolean;
}

/** One line, as compilers write it. */
export function describeProblem(file: string, { line, column, field, message }: FileProblem): string {
  return `${file}:${line}:${column}: ${field === '' ? '' : `${field}: `}${message}`;
}

export function isError({ severity }: { severity: Severity }): boolean {
  return severity === 'error';
}
