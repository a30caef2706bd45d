import type { ServedCachePolicy } from '#libs/tenants';
import { httpDate } from './http-date';
import type { ResponseFields } from './response-fields';

/** How long a response may be used, and how. Milliseconds. */
export interface StorageTerms {
  /** Freshness lifetime (RFC 9111 §4.2.1). */
  readonly lifetimeMs: number;
  /** Age when it came (§4.2.3). */
  readonly initialAgeMs: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** False: never used once it is stale (§4.2.4). */
  readonly mayBeStale: boolean;
  /** Used only after the upstream has confirmed it (`no-cache`). */
  readonly validatesAlways: boolean;
  /** Names in lower case, sorted. */
  readonly vary: readonly string[];
}

/** One response that has come, and what it came for. */
export interface Arrival {
  readonly status: number;
  readonly fields: ResponseFields;
  /** When the request was sent and when the head came, milliseconds since the epoch. */
  readonly requestedAt: number;
  readonly now: number;
  /** The request carried a credential or a cookie, and the key does not say whose. */
  readonly shared: 'anonymous' | 'credentials';
}

/** RFC 9110 §15.1, without 206. */
const HEURISTIC = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);
/** What a lifetime that an operator sets is for, unless the policy names statuses: answers, and not refusals. */
const OVERRIDDEN = new Set([200, 203, 301, 308]);
/** RFC 9111 §4.2.2: a tenth of the time since the last modification is a typical choice. */
const HEURISTIC_SHARE = 0.1;
const MAX_HEURISTIC_MS = 86_400_000;

/** The terms on which a response to a GET may be stored by a shared cache (RFC 9111 §3), or why not. */
export function storageTerms(arrival: Arrival, policy: ServedCachePolicy): StorageTerms | string {
  const { status, fields } = arrival;
  const objection = objectionTo(arrival, policy);
  if (objection !== undefined) return objection;
  const { directives: said } = fields;
  const initialAgeMs = initialAge(arrival);
  const own = ownLifetime(arrival);
  const overriding = (policy.statuses ?? OVERRIDDEN).has(status) ? policy.ttlMs : undefined;
  const lifetimeMs = overriding === undefined ? own : initialAgeMs + overriding;
  if (lifetimeMs === undefined) return 'no-lifetime';
  const staleWhileRevalidateMs = policy.staleWhileRevalidateMs ?? (said.staleWhileRevalidate ?? 0) * 1000;
  const staleIfErrorMs = policy.staleIfErrorMs ?? (said.staleIfError ?? 0) * 1000;
  // `s-maxage` forbids stale use (§5.2.2.10), unless the same response permits it in so many words, as many do.
  const permits = said.staleWhileRevalidate !== undefined || said.staleIfError !== undefined;
  const forbids = said.mustRevalidate || said.proxyRevalidate || said.noCache;
  const mayBeStale = !forbids && (said.sharedMaxAge === undefined || permits);
  const lasts = lifetimeMs > initialAgeMs && !said.noCache;
  const usableStale = mayBeStale && Math.max(staleWhileRevalidateMs, staleIfErrorMs) > 0;
  const hasValidator = fields.etag !== undefined || fields.lastModified !== undefined;
  if (!lasts && !usableStale && !hasValidator) return 'stale-on-arrival';
  return {
    lifetimeMs,
    initialAgeMs,
    staleWhileRevalidateMs,
    staleIfErrorMs,
    mayBeStale,
    validatesAlways: said.noCache,
    vary: varyNames(fields.vary),
  };
}

function objectionTo({ status, fields, shared }: Arrival, policy: ServedCachePolicy): string | undefined {
  const { directives: said } = fields;
  if (status < 200 || status === 206 || status === 304 || fields.partial) return 'partial';
  if (policy.statuses && !policy.statuses.has(status)) return 'status';
  if (said.noStore) return 'no-store';
  if (said.private) return 'private';
  if (fields.vary?.split(',').some((name) => name.trim() === '*')) return 'vary';
  // RFC 9111 §7.3 leaves it to the origin; who means it says so.
  if (fields.setsCookie && !said.public) return 'set-cookie';
  // RFC 9111 §3.5. A cookie is a credential as often as not.
  const permitted = said.public || said.sharedMaxAge !== undefined || said.mustRevalidate;
  return shared === 'credentials' && !permitted ? 'authorization' : undefined;
}

/** Undefined where nothing is said and nothing may be guessed. */
function ownLifetime({ status, fields, now }: Arrival): number | undefined {
  const { directives: said } = fields;
  const seconds = said.sharedMaxAge ?? said.maxAge;
  if (seconds !== undefined) return seconds * 1000;
  const date = httpDate(fields.date) ?? now;
  // An invalid date is one in the past (§5.3).
  if (fields.expires !== undefined) return Math.max(0, (httpDate(fields.expires) ?? 0) - date);
  const modified = httpDate(fields.lastModified);
  if (said.noCache) return 0;
  if (modified === undefined || !(HEURISTIC.has(status) || said.public)) return undefined;
  return Math.min(Math.max(0, date - modified) * HEURISTIC_SHARE, MAX_HEURISTIC_MS);
}

/** RFC 9111 §4.2.3. */
function initialAge({ fields, requestedAt, now }: Arrival): number {
  const apparent = Math.max(0, now - (httpDate(fields.date) ?? now));
  const value = /^\d+/.exec(fields.age ?? '')?.[0];
  const corrected = Number(value ?? 0) * 1000 + (now - requestedAt);
  // Dates are whole seconds: up to one of them is no age.
  return Math.max(apparent < 1000 ? 0 : apparent, corrected);
}

export function varyNames(vary: string | undefined): readonly string[] {
  if (vary === undefined) return [];
  const names = vary
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  return [...new Set(names.filter(Boolean))].sort();
}
