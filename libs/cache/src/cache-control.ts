/** The directives of a Cache-Control field (RFC 9111 §5.2) that mean something to a shared cache. Seconds. */
export interface Directives {
  noStore: boolean;
  /** Also where it is qualified with field names, which a cache may take for unqualified (§5.2.2.4, §5.2.2.7). */
  noCache: boolean;
  private: boolean;
  public: boolean;
  mustRevalidate: boolean;
  proxyRevalidate: boolean;
  onlyIfCached: boolean;
  maxAge: number | undefined;
  sharedMaxAge: number | undefined;
  /** Infinity without a value: however stale. */
  maxStale: number | undefined;
  minFresh: number | undefined;
  staleWhileRevalidate: number | undefined;
  staleIfError: number | undefined;
}

/** One directive: a token, perhaps with a token or a quoted string as its argument. */
const DIRECTIVE =
  /[\s,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?\s*(?=,|$)/gy;
/** A delta too large to be exact counts as 2^31 (RFC 9111 §1.2.2). */
const MAX_DELTA = 2_147_483_648;

const NONE: Directives = {
  noStore: false,
  noCache: false,
  private: false,
  public: false,
  mustRevalidate: false,
  proxyRevalidate: false,
  onlyIfCached: false,
  maxAge: undefined,
  sharedMaxAge: undefined,
  maxStale: undefined,
  minFresh: undefined,
  staleWhileRevalidate: undefined,
  staleIfError: undefined,
};

/**
 * Reads a field; several are joined with commas. Where it contradicts itself or cannot be read, what keeps a cache from
 * using the response counts: the shorter of two ages, 0 for an age that is no number (§4.2.1), `no-store` for a field that
 * breaks off.
 */
export function parseCacheControl(field: string | undefined): Directives {
  const found = { ...NONE };
  if (field === undefined) return found;
  DIRECTIVE.lastIndex = 0;
  let end = 0;
  for (let match = DIRECTIVE.exec(field); match; match = DIRECTIVE.exec(field)) {
    end = DIRECTIVE.lastIndex;
    note(found, (match[1] as string).toLowerCase(), match[2] ?? match[3]);
  }
  // What follows cannot be read, and may have been a prohibition.
  if (!/^[\s,]*$/.test(field.slice(end))) found.noStore = true;
  return found;
}

function note(found: Directives, name: string, value: string | undefined): void {
  switch (name) {
    case 'no-store':
      found.noStore = true;
      break;
    case 'no-cache':
      found.noCache = true;
      break;
    case 'private':
      found.private = true;
      break;
    case 'public':
      found.public = true;
      break;
    case 'must-revalidate':
      found.mustRevalidate = true;
      break;
    case 'proxy-revalidate':
      found.proxyRevalidate = true;
      break;
    case 'only-if-cached':
      found.onlyIfCached = true;
      break;
    case 'max-age':
      found.maxAge = shorter(found.maxAge, value);
      break;
    case 's-maxage':
      found.sharedMaxAge = shorter(found.sharedMaxAge, value);
      break;
    case 'max-stale':
      found.maxStale = value === undefined ? (found.maxStale ?? Infinity) : shorter(found.maxStale, value);
      break;
    case 'min-fresh':
      found.minFresh = Math.max(found.minFresh ?? 0, delta(value) ?? MAX_DELTA);
      break;
    case 'stale-while-revalidate':
      found.staleWhileRevalidate = shorter(found.staleWhileRevalidate, value);
      break;
    case 'stale-if-error':
      found.staleIfError = shorter(found.staleIfError, value);
  }
}

function shorter(known: number | undefined, value: string | undefined): number {
  return Math.min(known ?? Infinity, delta(value) ?? 0);
}

function delta(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+$/.test(value) ? Math.min(Number(value), MAX_DELTA) : undefined;
}
