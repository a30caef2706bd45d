/**
 * tenants: what a tenant, its services and its API keys are, how their documents are checked, and the two ways to them:
 * the directory (the data plane's cached, compiled view, by API key or service id) and the repositories (the control
 * plane's versioned documents).
 * Owns the normal form of request paths, because a route is only as good as the form it is compared in.
 * Not here: judging a request. That is `guards`.
 */
export type { IdentityProvider, RateLimit, RouteRule, Tenant, TenantTimeouts } from './tenant';
export type { AuthPolicy } from './auth-policy';
export { DEFAULT_RATE_LIMIT } from './tenant';
export { checkTenant, parseTenant, TOKEN_ALGORITHMS, type CheckedTenant } from './check-tenant';
export { AddressPolicy } from './address-policy';
export { ForbiddenAddressError, permittedLookup, type SystemLookup } from './permitted-lookup';
export { normalPath, looseForm } from './normal-path';
export { RouteTable, routeFor, routePath, type Route } from './route-table';
export type { Upstream } from './common-parts';
export { ServedTenant } from './served-tenant';
export { Caller, ServedKey, foreignKeyId } from './served-key';
export { ServedService } from './served-service';
export { TenantDirectory } from './tenant-directory';
export { API_KEY_CHALLENGE, generateApiKey, hashApiKey, isMistyped } from './api-key-format';
export { TenantRepository, type StoredTenant, type TenantDocument } from './tenant-repository';
export {
  DEFAULT_SERVICE_KEY_RATE_LIMIT,
  type ApiKeyFields,
  type ApiKeyPatch,
  type ApiKeyRecord,
  type CreatedApiKey,
  type ListedApiKey,
  type StoredApiKey,
} from './api-key';
export { checkApiKeyFields, parseKeyMapping, type KeyMapping } from './check-api-key';
export { ApiKeyRepository } from './api-key-repository';
export type { Service, ServiceFields, ServiceTarget, StoredService } from './service';
export { checkServiceFields, parseService, type CheckedService } from './check-service';
export { ServiceRepository, memberOf as serviceIndexMember } from './service-repository';
export { GenerationalCache } from './generational-cache';
export { DEFAULT_BILLING, parseBilling, type TenantBilling } from './tenant-billing';
export { sortableId } from './sortable-id';
