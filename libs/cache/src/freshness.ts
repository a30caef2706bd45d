import type { Directives } from './cache-control';
import type { StoredResponse } from './stored-response';

/**
 * What may be done with a stored response: `fresh` and `allowed` (stale, but the client takes it) answer at once;
 * `behind` answers at once and is asked for anew behind the answer (RFC 5861 §3); `validate` is asked for first.
 */
export type Usability = 'fresh' | 'allowed' | 'behind' | 'validate';

/** Why the upstream is asked, as `Cache-Status` says it (RFC 9211 §2.2). */
export type Forwarded = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale';

export function usability(
  { terms, purged }: Pick<StoredResponse, 'terms' | 'purged'>,
  age: number,
  asked: Directives | undefined,
): Usability {
  if (asked !== undefined && demandsNewer(terms.lifetimeMs, age, asked)) return 'validate';
  if (terms.validatesAlways) return 'validate';
  if (age < terms.lifetimeMs && !purged) return 'fresh';
  const staleness = Math.max(0, age - terms.lifetimeMs);
  if (!terms.mayBeStale) return 'validate';
  if (!purged && asked?.maxStale !== undefined && staleness <= asked.maxStale * 1000) return 'allowed';
  return staleness < terms.staleWhileRevalidateMs ? 'behind' : 'validate';
}

/** Whether a request asks for something newer than what is stored, fresh as that may be (RFC 9111 §5.2.1). */
export function demandsNewer(lifetimeMs: number, age: number, asked: Directives): boolean {
  if (asked.noCache) return true;
  if (asked.minFresh !== undefined && lifetimeMs - age < asked.minFresh * 1000) return true;
  return asked.maxAge !== undefined && age > asked.maxAge * 1000;
}

/** Whether it stands in for an upstream that fails (RFC 5861 §4). */
export function standsIn({ terms }: StoredResponse, age: number, asked: Directives | undefined): boolean {
  if (!terms.mayBeStale || (asked && demandsNewer(terms.lifetimeMs, age, asked))) return false;
  const permitted = Math.max(terms.staleIfErrorMs, (asked?.staleIfError ?? 0) * 1000);
  return Math.max(0, age - terms.lifetimeMs) < permitted;
}

/** The failures that a stale response may stand in for. */
export const STANDS_IN_FOR: ReadonlySet<number> = new Set([500, 502, 503, 504]);
