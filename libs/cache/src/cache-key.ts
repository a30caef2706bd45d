import type { ServedCachePolicy } from '#libs/tenants';
import { valueOf } from './request-fields';

/** What a key is made of, beside the tenant, whose entries are kept apart from all others. */
export interface KeyParts {
  readonly scheme: string;
  readonly host: string;
  /** Normal path, as the client asked for it. */
  readonly path: string;
  /** From the question mark on; empty without one. */
  readonly query: string;
  /** Where the request goes and what becomes of it on the way. */
  readonly place: string;
  /** Who the response is for; empty for everybody. */
  readonly identity: string;
}

/** Of one request. */
export interface CacheKey {
  /** Of the resource, whoever asks and whatever varies: what an unsafe request invalidates. */
  readonly uri: string;
  /** Path and the part of the query that counts, as purges name them. */
  readonly target: string;
  /** Everything but what the response says that it varies by. */
  readonly primary: string;
}

/** In no path, query, host or header value (all are free of controls when they get here), so no part reaches into the next. */
const SEPARATOR = '\n';

export function cacheKey(parts: KeyParts, policy: ServedCachePolicy, headers: readonly string[]): CacheKey {
  const { scheme, host, path, place, identity } = parts;
  const query = keyedQuery(parts.query, policy);
  const target = path + query;
  const uri = uriKey(scheme, host, target);
  let primary = uri + SEPARATOR + place + SEPARATOR + policy.id + SEPARATOR + identity;
  for (const name of policy.varyOn) primary += SEPARATOR + varied(name, headers);
  return { uri, target, primary };
}

/** @param target path and query */
export function uriKey(scheme: string, host: string, target: string): string {
  return scheme + SEPARATOR + host.toLowerCase() + SEPARATOR + target;
}

/** What tells the variants of a primary key apart. @param vary names in lower case */
export function variantKey(vary: readonly string[], headers: readonly string[]): string {
  let key = '';
  for (const name of vary) key += varied(name, headers) + SEPARATOR;
  return key;
}

/** An absent field and an empty one are two different things to a server. */
function varied(name: string, headers: readonly string[]): string {
  const value = valueOf(name, headers);
  if (value === undefined) return '';
  // The same wishes in another spelling; they are most of what responses vary by.
  return name === 'accept-encoding' ? `=${value.toLowerCase().replace(/\s+/g, '')}` : `=${value}`;
}

/**
 * The parameters that count, as they came and in their order. Whatever a server might read otherwise than this does always
 * counts: a `;`, which separates parameters to some (parameter cloaking), and names that cannot be decoded.
 */
export function keyedQuery(query: string, { includedQuery, ignoredQuery }: ServedCachePolicy): string {
  if (query === '' || query === '?') return '';
  if (!includedQuery && !ignoredQuery) return query;
  const kept = query
    .slice(1)
    .split('&')
    .filter((parameter) => {
      if (parameter === '') return false;
      const name = parameterName(parameter);
      if (name === undefined) return true;
      return includedQuery ? includedQuery.has(name) : !ignoredQuery?.has(name);
    });
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

function parameterName(parameter: string): string | undefined {
  if (/;|%3b/i.test(parameter)) return undefined;
  const mark = parameter.indexOf('=');
  try {
    return decodeURIComponent((mark < 0 ? parameter : parameter.slice(0, mark)).replace(/\+/g, ' '));
  } catch {
    return undefined;
  }
}
