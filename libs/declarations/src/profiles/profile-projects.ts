import { PROFILE_TENANTS, type Profiles, type RegionalEdge } from '#libs/config';
import type { PublishedRouteRule } from '#libs/publications';
import type {
  CachePolicy,
  ClientRuleFields,
  RetryPolicy,
  ServiceFields,
  Tenant,
  TenantTimeouts,
} from '#libs/tenants';
import type { Places, Project } from '../project';

type NamedService = [name: string, fields: Omit<ServiceFields, 'name'>];
type Limits = Pick<Profiles, 'perMinute' | 'perMinuteAndIp'>;

const CENTRAL = 'central';
/** Of the key that the edge signs with. */
const SIGNATURE_KEY = 'edge';
/** What agents send is kept whole to be signed; what is larger is refused (413). */
const MAX_SIGNED_BYTES = 16 * 1024 * 1024;
/** A batch of an agent is kept to be sent again, a larger body is sent once. */
const MAX_REPEATED_BYTES = 1024 * 1024;
/** The documented life of a stored answer. */
const CACHE: CachePolicy = { ttlSeconds: 60, methods: ['GET'] };
const SECOND_MS = 1000;
const CONNECT_MS = 10_000;

/** CENTRAL_API_URL as a project: one tenant, one service, one route for everything that is nobody else's. */
export function regionalEdgeProject(edge: RegionalEdge, limits: Limits): Project {
  const { centralApiUrl, region, hmacSecret } = edge;
  const service: NamedService[1] = {
    targets: [{ url: centralApiUrl }],
    timeouts: timeoutsOf(edge),
    retries: retriesOf(edge),
  };
  const route: PublishedRouteRule = {
    name: CENTRAL,
    path: '/',
    backends: [{ service: CENTRAL }],
    gatewayRegion: region,
    // Agents are known by the central API; no key of theirs is one of the gateway's.
    forwardApiKey: true,
  };
  const tenant = tenantOf(PROFILE_TENANTS.regionalEdge, 'Regional edge', centralApiUrl, limits);
  if (hmacSecret !== undefined) {
    tenant.signatureKeys = { [SIGNATURE_KEY]: { secret: { env: 'HMAC_SECRET' } } };
    tenant.signing = { key: SIGNATURE_KEY, maxBodyBytes: MAX_SIGNED_BYTES };
  }
  return projectOf(tenant, [[CENTRAL, service]], [route]);
}

/** BACKEND_SERVICES as a project: each is published at `/api/{name}`, for whoever brings a token. */
export function backendServicesProject(backends: ReadonlyMap<string, string>, limits: Limits): Project {
  const services = [...backends].map(([name, url]): NamedService => [
    name,
    { targets: [{ url }], breaker: {} },
  ]);
  const routes = [...backends.keys()].map((name): PublishedRouteRule => ({
    name,
    path: `/api/${name}`,
    stripPrefix: true,
    backends: [{ service: name }],
    auth: { jwt: true },
    cache: CACHE,
  }));
  const [first = ''] = backends.values();
  return projectOf(
    tenantOf(PROFILE_TENANTS.backendServices, 'Backend services', first, limits),
    services,
    routes,
  );
}

function tenantOf(id: string, name: string, upstreamBaseUrl: string, limits: Limits): Tenant {
  const perMinute = (maxRequests: number) => ({ windowSeconds: 60, maxRequests });
  const perIp: ClientRuleFields = { rateLimitPerIp: perMinute(limits.perMinuteAndIp) };
  // Nothing is allowed below /api by key: there is none.
  return { id, name, upstreamBaseUrl, allowedRoutes: [], rateLimit: perMinute(limits.perMinute), ...perIp };
}

/** The time-out is that of one attempt; all of them, and the waiting in between, have what they need. */
function timeoutsOf({ timeoutMs, maxRetries }: RegionalEdge): TenantTimeouts {
  const waitingMs = SECOND_MS * (2 ** maxRetries - 1);
  return {
    connectMs: Math.min(CONNECT_MS, timeoutMs),
    firstByteMs: timeoutMs,
    // A little more than all of it: what ends a request is that its last attempt has taken too long.
    totalMs: timeoutMs * (maxRetries + 1) + waitingMs + SECOND_MS,
  };
}

/** 1, 2, 4, … seconds after a connection that failed or an attempt that took too long; answers pass as they are. */
function retriesOf({ timeoutMs: perTryTimeoutMs, maxRetries: attempts }: RegionalEdge): RetryPolicy {
  const maxBackoffMs = SECOND_MS * 2 ** Math.max(0, attempts - 1);
  const waits = { backoffMs: SECOND_MS, maxBackoffMs, jitter: false };
  return {
    attempts,
    ...waits,
    statuses: [],
    perTryTimeoutMs,
    bodyBytes: MAX_REPEATED_BYTES,
    exhaustedStatus: 503,
  };
}

function projectOf(
  tenant: Tenant,
  services: readonly NamedService[],
  routes: readonly PublishedRouteRule[],
): Project {
  return { tenant, services: new Map(services), routes, apiKeys: [], places: NOWHERE };
}

/** Variables have no lines; what is wrong with them has been said when they were read. */
const NOWHERE: Places = { tenant: () => [], service: () => [], route: () => [], apiKey: () => [] };
