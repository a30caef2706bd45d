import { keys, type Bucket } from '#libs/store';
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
    const url = new URL(tenant.upstreamBaseUrl);
    this.id = tenant.id;
    this.suspended = tenant.suspended ?? false;
    // Fail closed: whoever names an identity provider and forgets a route's `auth` meant to protect it.
    this.routes = new RouteTable(tenant.allowedRoutes, tenant.auth?.jwt ?? tenant.idp !== undefined);
    this.upstream = { origin: url.origin, basePath: url.pathname.replace(/\/+$/, ''), host: url.host };
    this.bucket = {
      key: keys.rateLimit(tenant.id, windowSeconds),
      capacity: maxRequests,
      windowMs: windowSeconds * 1000,
    };
    this.windowSeconds = windowSeconds;
    this.idp = tenant.idp;
    this.timeouts = tenant.timeouts;
  }
}
