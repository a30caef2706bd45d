import { hash } from 'node:crypto';
import { keys, type Bucket } from '#libs/store';
import { addressRulesOf, clientLimitOf, type AddressRules, type ClientLimit } from './address-rules';
import { servedCache, type ServedCachePolicy } from './cache-policy';
import { commonRoutes, commonTrust, commonUpstream, type Upstream } from './common-parts';
import { trustOf, type TokenTrust } from './identity-provider';
import { servedRetries, type ServedRetries } from './retry-policy';
import type { ServedCompression } from './shaping/compression-policy';
import { compressionOf } from './shaping/shape';
import type { Route, RouteTable } from './route-table';
import { TargetSet } from './target-set';
import type { TargetHealth } from './target-health';
import type { Caller } from './served-key';
import type { InboundSignature, SignatureKeys, SigningPolicy } from './signing-policy';
import { servedMaintenance, type ServedMaintenance } from './served-maintenance';
import { DEFAULT_RATE_LIMIT, type Tenant, type TenantTimeouts } from './tenant';
import { DEFAULT_SERVED_BILLING, type ServedBilling } from './tenant-billing';

/** Of the digest of a route's key: enough to keep the routes of one tenant apart. */
const ROUTE_DIGITS = 12;

/** A tenant compiled for the request path: no parsing, no defaults, no optional look-ups left to do. */
export class ServedTenant {
  readonly id: string;
  readonly suspended: boolean;
  readonly routes: RouteTable;
  readonly upstream: Upstream;
  /** The same with what is known about it; undefined unless there is a `breaker`, for which it has to be watched. */
  readonly set: TargetSet | undefined;
  readonly bucket: Bucket;
  readonly windowSeconds: number;
  /** Whose tokens count here. */
  readonly trust: TokenTrust;
  readonly timeouts: TenantTimeouts | undefined;
  readonly retries: ServedRetries | undefined;
  readonly signatureKeys: SignatureKeys | undefined;
  readonly signing: SigningPolicy | false | undefined;
  readonly inboundSignature: InboundSignature | false | undefined;
  /** From where its requests may come; undefined: from anywhere. */
  readonly addresses: AddressRules | undefined;
  readonly perClient: ClientLimit | undefined;
  readonly billing: ServedBilling;
  /** False: nothing is compressed; undefined: the gateway decides. */
  readonly compression: ServedCompression | false | undefined;
  readonly maxBodyBytes: number | undefined;
  readonly maxConcurrency: number | undefined;
  readonly maxStreams: number | undefined;
  readonly maintenance: ServedMaintenance | undefined;
  readonly cache: ServedCachePolicy | undefined;
  /** Who calls routes that ask for no key: see `anonymousCaller`. */
  anonymous: Caller | undefined = undefined;
  /** Tenants share their routes, but not what the routes have left. Made when a route with a limit is first taken. */
  private routeBuckets: Map<Route, Bucket> | undefined = undefined;

  /** @param health what is known about its upstream, and will be. */
  constructor(tenant: Tenant, billing: ServedBilling = DEFAULT_SERVED_BILLING, health?: TargetHealth) {
    const { windowSeconds, maxRequests } = tenant.rateLimit ?? DEFAULT_RATE_LIMIT;
    this.id = tenant.id;
    this.suspended = tenant.suspended ?? false;
    this.routes = commonRoutes(tenant.allowedRoutes, jwtByDefault(tenant));
    this.upstream = commonUpstream(tenant.upstreamBaseUrl);
    this.set = setOf(tenant, health);
    this.bucket = {
      key: keys.rateLimit(tenant.id, windowSeconds),
      capacity: maxRequests,
      windowMs: windowSeconds * 1000,
      local: undefined,
    };
    this.windowSeconds = windowSeconds;
    this.trust = commonTrust(tenant);
    this.timeouts = tenant.timeouts;
    this.retries = servedRetries(tenant.retries);
    this.signatureKeys = tenant.signatureKeys;
    this.signing = tenant.signing;
    this.inboundSignature = tenant.inboundSignature;
    this.addresses = addressRulesOf(tenant);
    this.perClient = clientLimitOf(tenant);
    this.billing = billing;
    this.compression = compressionOf(tenant.compression);
    this.maxBodyBytes = tenant.maxBodyBytes;
    this.maxConcurrency = tenant.maxConcurrency;
    this.maxStreams = tenant.maxStreams;
    this.maintenance = servedMaintenance(tenant.maintenance);
    this.cache = servedCache(tenant.cache);
  }

  /** The limit of one of the tenant's routes, if that has one: always the same object. */
  bucketOf(route: Route): Bucket | undefined {
    const { limit } = route;
    if (limit === undefined) return undefined;
    this.routeBuckets ??= new Map();
    let bucket = this.routeBuckets.get(route);
    if (!bucket) {
      const { capacity, windowMs } = limit;
      const key = keys.rateLimitOfRoute(this.id, routeName(route), windowMs / 1000);
      this.routeBuckets.set(route, (bucket = { key, capacity, windowMs, local: undefined }));
    }
    return bucket;
  }
}

function setOf(
  { id, upstreamBaseUrl, breaker, timeouts }: Tenant,
  health?: TargetHealth,
): TargetSet | undefined {
  if (!breaker) return undefined;
  const owner = { tenantId: id, serviceId: undefined };
  return new TargetSet(owner, { targets: [{ url: upstreamBaseUrl }], breaker, timeouts }, health);
}

/** By what the limits of a route are kept: the same for the same rule, however it is written. */
export function routeName({ key }: Route): string {
  return hash('sha256', key, 'hex').slice(0, ROUTE_DIGITS);
}

/** Fail closed: whoever names an identity provider and forgets a route's `auth` meant to protect it. */
export function jwtByDefault(tenant: Tenant): boolean {
  return tenant.auth?.jwt ?? trustOf(tenant).providers.length > 0;
}
