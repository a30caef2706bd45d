import type { RequestContext } from '#libs/guards';

const ALLOWED_HEADERS = 'Content-Type, Authorization, X-API-Key, X-Admin-Token';
const ALLOWED_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const EXPOSED_HEADERS = 'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy';
/** How long browsers may remember a preflight; Chromium caps it at two hours. */
const MAX_AGE_SECONDS = '7200';

/** Cross-origin access by reflecting the origins that are allowed (Fetch standard, CORS protocol). */
export class Cors {
  private readonly any: boolean;
  private readonly origins: ReadonlySet<string>;

  /** @param origins exact origins, or `*` for every one. */
  constructor(origins: readonly string[]) {
    this.any = origins.includes('*');
    this.origins = new Set(origins);
  }

  /** Whether the request comes from a page that may read the response. */
  allows({ origin }: RequestContext): boolean {
    return origin !== undefined && (this.any || this.origins.has(origin));
  }

  /** Headers for a response to `context`, flat. The answer depends on Origin, so caches are always told. */
  headers(context: RequestContext): readonly string[] {
    if (!this.allows(context)) return VARY_ONLY;
    const origin = context.origin as string;
    // prettier-ignore
    return [
      'Vary', 'Origin',
      'Access-Control-Allow-Origin', origin,
      'Access-Control-Allow-Credentials', 'true',
      'Access-Control-Expose-Headers', EXPOSED_HEADERS,
    ];
  }

  /** Headers that answer a preflight, or undefined if the request is none. Preflights carry no credentials. */
  preflight(context: RequestContext, requestedMethod: string | undefined): readonly string[] | undefined {
    if (context.method !== 'OPTIONS' || context.origin === undefined || requestedMethod === undefined)
      return undefined;
    if (!this.allows(context)) return VARY_ONLY;
    // prettier-ignore
    return [
      ...this.headers(context),
      'Access-Control-Allow-Methods', ALLOWED_METHODS,
      'Access-Control-Allow-Headers', ALLOWED_HEADERS,
      'Access-Control-Max-Age', MAX_AGE_SECONDS,
    ];
  }
}

const VARY_ONLY: readonly string[] = ['Vary', 'Origin'];

/**
 * Response headers of an upstream that give way to the gateway's own. Also when the gateway has none to put in their
 * place: an upstream that welcomes every origin must not let in those that the operator left out.
 */
export const CORS_RESPONSE_HEADERS: ReadonlySet<string> = new Set([
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
]);
