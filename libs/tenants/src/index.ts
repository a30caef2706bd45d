/**
 * tenants: what a tenant is, how its document is checked, and the two ways to it: the directory (the data plane's
 * cached, compiled view, by API key) and the repository (the control plane's versioned documents).
 * Owns the normal form of request paths, because a route is only as good as the form it is compared in.
 * Not here: judging a request. That is `guards`.
 */
export type { IdentityProvider, RouteRule, Tenant, TenantTimeouts } from './tenant';
export { DEFAULT_RATE_LIMIT } from './tenant';
export { checkTenant, parseTenant, TOKEN_ALGORITHMS, type CheckedTenant } from './check-tenant';
export { AddressPolicy } from './address-policy';
export { ForbiddenAddressError, permittedLookup, type SystemLookup } from './permitted-lookup';
export { normalPath, looseForm } from './normal-path';
export { RouteTable, routeFor, routePath, type Route } from './route-table';
export { ServedTenant, type Upstream } from './served-tenant';
export { TenantDirectory } from './tenant-directory';
export { API_KEY_CHALLENGE, generateApiKey, hashApiKey, isMistyped } from './api-key-format';
export { TenantRepository, type StoredTenant, type TenantDocument } from './tenant-repository';
export { ApiKeyRepository, type ApiKeyRecord, type ListedApiKey } from './api-key-repository';
