import { keys, type Bucket } from '#libs/store';
import { GenerationalCache } from './generational-cache';
import { RouteTable } from './route-table';
import { DEFAULT_RATE_LIMIT, type IdentityProvider, type Tenant, type TenantTimeouts } from './tenant';

/** Where requests are forwarded to. */
export interface Upstream {
  /** `https://host:port`, as undici and metrics name it. */
  readonly origin: string;
  /** Path that goes before every forwarded path; empty or `/base` without a slash at the end. */
  readonly basePath: string;
  /** Value of the `Host` header. */
  readonly host: string;
}

/**
 * Parts that many tenants have in common, such as the routes of a plan, are compiled and kept once. Bounded, because
 * tenants need not have anything in common.
 */
const MAX_COMMON_PARTS = 1000;
const commonRoutes = new GenerationalCache<RouteTable>(MAX_COMMON_PARTS);
const commonUpstreams = new GenerationalCache<Upstream>(MAX_COMMON_PARTS);
const commonIdps = new GenerationalCache<IdentityProvider>(MAX_COMMON_PARTS);

function common<T extends NonNullable<unknown>>(
  parts: GenerationalCache<T>,
  key: string,
  compile: () => T,
): T {
  let part = parts.get(key);
  if (!part) parts.set(key, (part = compile()));
  return part;
}

/** A tenant compiled for the request path: no parsing, no defaults, no optional look-ups left to do. */
export class ServedTenant {
  readonly id: string;
  readonly suspended: boolean;
  readonly routes: RouteTable;
  readonly upstream: Upstream;
  readonly bucket: Bucket;
  readonly windowSeconds: number;
  readonly idp: IdentityProvider | undefined;
  readonly timeouts: TenantTimeouts | undefined;

  constructor(tenant: Tenant) {
    const { windowSeconds, maxRequests } = tenant.rateLimit ?? DEFAULT_RATE_LIMIT;
    this.id = tenant.id;
    this.suspended = tenant.suspended ?? false;
    // Fail closed: whoever names an identity provider and forgets a route's `auth` meant to protect it.
    const jwtByDefault = tenant.auth?.jwt ?? tenant.idp !== undefined;
    this.routes = common(
      commonRoutes,
      `${jwtByDefault} ${JSON.stringify(tenant.allowedRoutes)}`,
      () => new RouteTable(tenant.allowedRoutes, jwtByDefault),
    );
    this.upstream = common(commonUpstreams, tenant.upstreamBaseUrl, () => upstreamOf(tenant.upstreamBaseUrl));
    this.bucket = {
      key: keys.rateLimit(tenant.id, windowSeconds),
      capacity: maxRequests,
      windowMs: windowSeconds * 1000,
      lastSeen: undefined,
    };
    this.windowSeconds = windowSeconds;
    const { idp } = tenant;
    this.idp = idp && common(commonIdps, JSON.stringify(idp), () => idp);
    this.timeouts = tenant.timeouts;
  }
}

function upstreamOf(baseUrl: string): Upstream {
  const url = new URL(baseUrl);
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, ''), host: url.host };
}
