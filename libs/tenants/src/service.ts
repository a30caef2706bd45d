import type { AuthPolicy } from './auth-policy';
import type { RateLimit, TenantTimeouts } from './tenant';

/** One of the places that a service's requests are forwarded to. */
export interface ServiceTarget {
  url: string;
  /** Share of the requests in proportion to the other targets' weights; absent means 1. */
  weight?: number;
}

/** What whoever registers a service says about it. */
export interface ServiceFields {
  name: string;
  targets: ServiceTarget[];
  timeouts?: TenantTimeouts;
  /** Limit of the service as a whole, beside those of its tenant and keys. */
  rateLimit?: RateLimit;
  /** Whether requests need a JWT; absent: as the tenant's routes that say nothing. */
  auth?: AuthPolicy;
}

/** A named upstream of a tenant, published at `/proxy/{id}`: the document under `tenant:service:{id}`. */
export interface Service extends ServiceFields {
  /** A small number as text; never given out again. */
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

/** Ids are small numbers as text, without leading zeros: one service has one name. */
export function isServiceId(id: string): boolean {
  return /^[1-9]\d{0,14}$/.test(id);
}
