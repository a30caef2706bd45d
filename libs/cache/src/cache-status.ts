import type { Forwarded } from './freshness';

/** What became of a request, for metrics, statistics and the access log. */
export const CACHE_OUTCOMES = ['hit', 'stale', 'revalidated', 'collapsed', 'miss', 'bypass'] as const;
export type CacheOutcome = (typeof CACHE_OUTCOMES)[number];

const NAME = 'gatehouse';

/** Of a response from the store (RFC 9211 §2). @param ttlMs what is left of its lifetime; negative once it is stale. */
export function hitStatus(ttlMs: number, collapsed: boolean): string {
  const ttl = Math.floor(ttlMs / 1000);
  return collapsed ? `${NAME}; fwd=miss; collapsed; ttl=${ttl}` : `${NAME}; hit; ttl=${ttl}`;
}

/** Of a response for which the upstream was asked. */
export function forwardedStatus(
  reason: Forwarded,
  more: { status?: number; stored?: boolean; ttlMs?: number; detail?: string } = {},
): string {
  const { status, stored, ttlMs, detail } = more;
  let text = `${NAME}; fwd=${reason}`;
  if (status !== undefined) text += `; fwd-status=${status}`;
  if (stored) text += '; stored';
  if (ttlMs !== undefined) text += `; ttl=${Math.floor(ttlMs / 1000)}`;
  return detail === undefined ? text : `${text}; detail=${detail}`;
}
