import { httpDate } from './http-date';
import type { RequestFields } from './request-fields';

interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** Whether the client has what is stored already, and 304 is the answer (RFC 9111 §4.3.2, RFC 9110 §13.2.2). */
export function hasIt(
  fields: Pick<RequestFields, 'ifNoneMatch' | 'ifModifiedSince'>,
  status: number,
  { etag, lastModified }: Validators,
): boolean {
  if (status !== 200) return false;
  const { ifNoneMatch, ifModifiedSince } = fields;
  // The date counts only where there is no tag to compare (RFC 9110 §13.1.3).
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, etag);
  const since = httpDate(ifModifiedSince);
  const modified = httpDate(lastModified);
  return since !== undefined && modified !== undefined && modified <= since;
}

/** Weak comparison: equal but for the `W/` (RFC 9110 §8.8.3.2). */
function matches(list: string, etag: string | undefined): boolean {
  if (list.trim() === '*') return true;
  if (etag === undefined) return false;
  const opaque = etag.replace(/^W\//, '');
  return list.match(/"[^"]*"/g)?.some((one) => one === opaque) ?? false;
}

/** The conditions by which the upstream is asked whether what is stored still holds; flat, empty if it cannot be asked. */
export function conditionsFor({ etag, lastModified }: Validators): string[] {
  const conditions: string[] = [];
  if (etag !== undefined) conditions.push('If-None-Match', etag);
  if (lastModified !== undefined) conditions.push('If-Modified-Since', lastModified);
  return conditions;
}

/** Fields that a 304 leaves out of its own: they are about the body that the client has (RFC 9110 §15.4.5). */
const ABOUT_THE_BODY = /^content-(?:encoding|language|type|range|disposition)$/i;

/** The stored headers that a 304 repeats. */
export function headersOf304(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2)
    if (!ABOUT_THE_BODY.test(headers[i] as string)) kept.push(headers[i] as string, headers[i + 1] as string);
  return kept;
}

/** What of a 304 does not replace what is stored (RFC 9111 §3.2). */
const KEEPS_ITS_OWN = /^content-(?:encoding|type|range|length)$/i;

/** The stored headers, renewed by those of a 304 (RFC 9111 §3.2). */
export function renewed(stored: readonly string[], update: readonly string[]): string[] {
  const fields: string[] = [];
  const named = new Set<string>();
  for (let i = 0; i < update.length; i += 2) {
    if (KEEPS_ITS_OWN.test(update[i] as string)) continue;
    named.add((update[i] as string).toLowerCase());
    fields.push(update[i] as string, update[i + 1] as string);
  }
  const kept: string[] = [];
  for (let i = 0; i < stored.length; i += 2)
    if (!named.has((stored[i] as string).toLowerCase()))
      kept.push(stored[i] as string, stored[i + 1] as string);
  return [...kept, ...fields];
}
