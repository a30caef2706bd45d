import type { BreakerPolicy } from '#libs/breakers';
import type { AuthPolicy } from './auth-policy';
import type { RetryPolicy } from './retry-policy';
import type { ShapeFields } from './shaping/shape';
import type { SignatureSettings } from './signing-policy';
import type { Maintenance } from './maintenance';
import type { CachePolicy } from './cache-policy';
import type { RateLimit, TenantTimeouts } from './tenant';

/** One of the places that a service's requests are forwarded to. */
export interface ServiceTarget {
  url: string;
  /** Share of the requests in proportion to the other targets' weights; absent means 1. */
  weight?: number;
}

/** Requests that the gateway makes itself to learn which targets can serve. */
export interface HealthCheck {
  /** Below the target's URL; may have a query. */
  path: string;
  /** Between two checks of a target; absent means 10. */
  intervalSeconds?: number;
  /** Absent means 2000. */
  timeoutMs?: number;
  /** Good answers in a row after which a target is used again; absent means 2. */
  healthyAfter?: number;
  /** Bad ones in a row after which it is not; absent means 3. */
  unhealthyAfter?: number;
  /** A status such as 204, or a range such as `200-299`; absent means `200-399`. */
  expectStatus?: number | string;
  /** Value of the `Host` header; absent: that of the target. */
  host?: string;
}

/** When a target that does worse than the others of its service gets no requests for a while, from this process. */
export interface PassiveChecks {
  /** Failures in a row: no connection, a broken one, no answer in time, 502, 503, 504. Absent means 5. */
  failures?: number;
  /** By how many points its share of failed requests must exceed that of the others, in percent. Absent means 50. */
  errorPercentAbove?: number;
  /** Requests of the last 10 s, of it and of the others, below which shares are not compared. Absent means 20. */
  minRequests?: number;
  /** Absent means 30; twice, three times … as long when it has to go again soon. */
  ejectSeconds?: number;
  /** Absent means 300, or `ejectSeconds` if that is more. */
  maxEjectSeconds?: number;
  /** How many of the targets may be out at a time, rounded down. Absent means 50. */
  maxEjectedPercent?: number;
}

/** How the next target is chosen: by turns, or the one with the fewest requests under way in this process. */
export type Balance = 'round-robin' | 'least-pending';

/** What whoever registers a service says about it. */
export interface ServiceFields extends ShapeFields, SignatureSettings {
  name: string;
  targets: ServiceTarget[];
  /** Absent means `round-robin`. */
  balance?: Balance;
  /** Absent: no target is checked before it is used. */
  healthCheck?: HealthCheck;
  /**
   * Absent: as its parts say when absent, unless there is a `breaker`, which then decides alone; false: targets are used
   * whatever they do. One target alone always is.
   */
  passive?: PassiveChecks | false;
  /** Absent: requests are sent there whatever becomes of them. */
  breaker?: BreakerPolicy;
  /** How long a target that comes back, or is new, gets a growing share of its requests. Absent: none. */
  slowStartSeconds?: number;
  timeouts?: TenantTimeouts;
  /** In place of the tenant's. */
  retries?: RetryPolicy;
  /** Limit of the service as a whole, beside those of its tenant and keys. */
  rateLimit?: RateLimit;
  /** Whether requests need a JWT; absent: as the tenant's routes that say nothing. */
  auth?: AuthPolicy;
  /** Largest request body, in the place of the tenant's. */
  maxBodyBytes?: number;
  /** Requests under way in each process, of all that lead here. */
  maxConcurrency?: number;
  /** As of a tenant. */
  maintenance?: Maintenance;
  /** What is stored of the responses; overrides the tenant's own. */
  cache?: CachePolicy;
}

/** A named upstream of a tenant, published at `/proxy/{id}`: the document under `tenant:service:{id}`. */
export interface Service extends ServiceFields {
  /** A small number as text, never given out again; or the name of a service that files declare. */
  id: string;
  tenantId: string;
  /** ISO 8601. */
  createdAt: string;
}

/** A service with the version of its document. */
export interface StoredService {
  readonly service: Service;
  readonly version: string;
}

/** Ids given out here are small numbers as text, without leading zeros: one service has one name. */
export function isServiceNumber(id: string): boolean {
  return /^[1-9]\d{0,14}$/.test(id);
}

/** Ids of services that files declare, such as `acme.weather`: never to be mistaken for a number. */
const SERVICE_NAME = /^(?!\d+$)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export function isServiceId(id: string): boolean {
  return isServiceNumber(id) || SERVICE_NAME.test(id);
}
