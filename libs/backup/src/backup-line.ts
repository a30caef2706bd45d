export const FORMAT = 'gatehouse-backup';
export const VERSION = 1;

/** Members of an index, or fields of a table, in one line. */
export const CHUNK = 1000;

/** One line of a backup. Amounts are texts: they may have 64 bits. */
export type BackupLine =
  | { readonly type: 'header'; readonly format: typeof FORMAT; readonly version: number }
  | { readonly type: 'document'; readonly key: string; readonly value: string }
  | { readonly type: 'index'; readonly name: string; readonly members: readonly string[] }
  | { readonly type: 'ledger'; readonly ledger: string; readonly cycle: number }
  | {
      readonly type: 'table';
      readonly ledger: string;
      readonly name: string;
      readonly expiresAt?: number;
      readonly amounts: ReadonlyArray<readonly [field: string, amount: string]>;
    }
  | {
      readonly type: 'source';
      readonly ledger: string;
      readonly source: string;
      readonly seq: number;
      readonly expiresAt: number;
    }
  /** The last line: how many there are before it, and the SHA-256 of them with their line ends. */
  | { readonly type: 'end'; readonly lines: number; readonly sha256: string };

/** Texts by their bytes, so that the order does not depend on a language. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function* chunks<T>(items: readonly T[]): Iterable<T[]> {
  for (let at = 0; at < items.length; at += CHUNK) yield items.slice(at, at + CHUNK);
}
