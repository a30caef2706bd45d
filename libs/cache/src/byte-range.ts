import { httpDate } from './http-date';

/** Part of a body: the first and the last byte. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** One range, `bytes=0-99`, `bytes=100-` or `bytes=-100`; several at once are not offered. */
const ONE_RANGE = /^bytes=[ \t]*(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))[ \t]*$/i;

/**
 * What of a complete body a Range asks for (RFC 9110 §14.2); undefined for all of it, which may always be sent instead.
 * @param length of the whole body
 */
export function rangeOf(range: string | undefined, length: number): ByteRange | 'unsatisfiable' | undefined {
  const [whole, from, to, suffix] = ONE_RANGE.exec(range ?? '') ?? [];
  if (whole === undefined) return undefined;
  if (suffix !== undefined) {
    if (Number(suffix) === 0 || length === 0) return 'unsatisfiable';
    return { first: Math.max(0, length - Number(suffix)), last: length - 1 };
  }
  const first = Number(from);
  if (to !== undefined && Number(to) < first) return undefined;
  if (first >= length) return 'unsatisfiable';
  return { first, last: Math.min(to === undefined ? Infinity : Number(to), length - 1) };
}

/** Whether a range is of the response that the client has a part of (RFC 9110 §13.1.5): by strong comparison. */
export function isOfTheSame(
  ifRange: string | undefined,
  { etag, lastModified }: { readonly etag: string | undefined; readonly lastModified: string | undefined },
): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"')) return ifRange === etag;
  return !ifRange.startsWith('W/') && httpDate(ifRange) !== undefined && ifRange === lastModified;
}
