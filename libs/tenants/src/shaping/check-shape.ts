import type { AddressPolicy } from '../address-policy';
import type { Dictionary, Report } from '../field-checks';
import { checkCompression } from './check-compression';
import { checkHeaders } from './check-headers';
import { checkMirror } from './check-mirror';
import { checkRewrite } from './check-rewrite';

/**
 * Checks all of it but for `rewrite`, which only routes have.
 * @param field what to put before the names; empty for nothing.
 */
export function checkShape(
  fields: Dictionary,
  field: string,
  addresses: AddressPolicy | undefined,
  report: Report,
): void {
  const at = (name: string): string => (field === '' ? name : `${field}.${name}`);
  const { requestHeaders, responseHeaders, compression, mirror } = fields;
  if (requestHeaders !== undefined) checkHeaders(requestHeaders, at('requestHeaders'), 'request', report);
  if (responseHeaders !== undefined) checkHeaders(responseHeaders, at('responseHeaders'), 'response', report);
  checkCompression(compression, at('compression'), report);
  checkMirror(mirror, at('mirror'), addresses, report);
}

/** The same for a route. @param path in normal form, and whether its prefixes are said by `rewrite`. */
export function checkRouteShape(
  fields: Dictionary,
  field: string,
  route: { path: string | undefined; prefixes: boolean },
  addresses: AddressPolicy | undefined,
  report: Report,
): void {
  checkShape(fields, field, addresses, report);
  checkRewrite(
    fields.rewrite,
    field === '' ? 'rewrite' : `${field}.rewrite`,
    route.path,
    route.prefixes,
    report,
  );
}

/** Addresses in it, which are judged when they are written. */
export function mirrorUrlsIn(documents: unknown): unknown[] {
  const list = Array.isArray(documents) ? (documents as unknown[]) : [documents];
  return list.map((one) => (one as { mirror?: { url?: unknown } | null } | null | undefined)?.mirror?.url);
}
