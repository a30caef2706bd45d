import type { BreakerPolicy } from '#libs/breakers';
import type { ClientRuleFields } from './address-rules';
import type { AuthPolicy } from './auth-policy';
import type { Maintenance } from './maintenance';
import type { CachePolicy } from './cache-policy';
import type { IdentityProvider, TrustSettings } from './identity-provider';
import type { RetryPolicy } from './retry-policy';
import type { RouteShapeFields, ShapeFields } from './shaping/shape';
import type { SignatureKeys, SignatureSettings } from './signing-policy';

/** A token bucket: so many requests at once, refilled evenly over the window. */
export interface RateLimit {
  windowSeconds: number;
  maxRequests: number;
}

/** One entry of `allowedRoutes`: a path and everything below it. */
export interface RouteRule extends RouteShapeFields, SignatureSettings, ClientRuleFields {
  path: string;
  /** Upper-case methods; absent means any. GET includes HEAD. */
  methods?: string[];
  /** Overrides the tenant's own `auth` for this route. */
  auth?: AuthPolicy;
  /** Limit of this route, beside that of the tenant. */
  rateLimit?: RateLimit;
  /** As that of the tenant, which it overrides. */
  maxBodyBytes?: number;
  /** What is stored of the responses; overrides the tenant's own. */
  cache?: CachePolicy;
}

/** Overrides of the gateway's time-outs, in milliseconds. */
export interface TenantTimeouts {
  connectMs?: number;
  firstByteMs?: number;
  idleMs?: number;
  totalMs?: number;
}

/** The document under `tenant:{id}`; the documented fields and ours. */
export interface Tenant extends TrustSettings, SignatureSettings, ClientRuleFields {
  id: string;
  name: string;
  upstreamBaseUrl: string;
  allowedRoutes: RouteRule[];
  /** Whether routes that say nothing ask for a JWT; absent: they do if there is an identity provider. */
  auth?: { jwt: boolean };
  rateLimit?: RateLimit;
  /** The one identity provider, or one of several. */
  idp?: IdentityProvider;
  /** Further ones; a token is for the one that its `iss` names. */
  idps?: IdentityProvider[];
  /** Whether tokens that the gateway signs are accepted; absent: they are if there is no identity provider. */
  serviceTokens?: boolean;
  timeouts?: TenantTimeouts;
  /** For requests below /api, and for services and published routes that have none of their own. */
  retries?: RetryPolicy;
  /** When requests to `upstreamBaseUrl` are stopped for a while; services have their own. Absent: never. */
  breaker?: BreakerPolicy;
  /** Of all its responses, unless a service or route says otherwise; absent: as COMPRESSION says. */
  compression?: ShapeFields['compression'];
  /** What signatures are made and judged with, here and at the services and routes of the tenant. */
  signatureKeys?: SignatureKeys;
  /** For routes and services that say nothing; absent: nothing is stored. */
  cache?: CachePolicy;
  /** A suspended tenant keeps its configuration and is refused with 403. */
  suspended?: boolean;
  /** Largest request body; the gateway's own bound holds beside it. */
  maxBodyBytes?: number;
  /** Requests under way in each process. */
  maxConcurrency?: number;
  /** Event streams and WebSockets open in each process. */
  maxStreams?: number;
  /** There is one going on: requests are refused with 503. */
  maintenance?: Maintenance;
}

export const DEFAULT_RATE_LIMIT: RateLimit = { windowSeconds: 60, maxRequests: 100 };
