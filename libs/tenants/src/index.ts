/**
 * tenants: what a tenant, its services and its API keys are, how their documents are checked, and the two ways to them:
 * the directory (the data plane's cached, compiled view, by API key or service id) and the repositories (the control
 * plane's versioned documents).
 * Owns the normal form of request paths, because a route is only as good as the form it is compared in.
 * Not here: judging a request. That is `guards`.
 */
export type { RateLimit, RouteRule, Tenant, TenantTimeouts } from './tenant';
export { ServedCachePolicy, servedCache, type CachePolicy } from './cache-policy';
export { checkCache } from './check-cache';
export type { AuthPolicy } from './auth-policy';
export {
  GATEWAY_ISSUER,
  SECRET_ALGORITHMS,
  SHARED_SECRET_ISSUER,
  TOKEN_ALGORITHMS,
  issuersOf,
  trustOf,
  usableIssuers,
  type IdentityProvider,
  type Introspection,
  type SecretSource,
  type TokenTrust,
} from './identity-provider';
export { shownProvider, shownSignatureKeys, type ShownProvider, type ShownSecret } from './kept-secrets';
export {
  DEFAULT_SIGNATURE_TOLERANCE_SECONDS,
  DEFAULT_SIGNED_BODY_BYTES,
  type InboundSignature,
  type SignatureKeys,
  type SignatureSettings,
  type SigningPolicy,
} from './signing-policy';
export { checkKeyNames, checkSignatureSettings, weakSignatureKeys } from './check-signing';
export type { Maintenance } from './maintenance';
export { checkMaxBody } from './check-load';
export { parseMaintenance } from './check-maintenance';
export { ServedMaintenance } from './served-maintenance';
export { GatewayMaintenance } from './gateway-maintenance';
export { MaintenanceRepository, keptMaintenance, type StoredMaintenance } from './maintenance-repository';
export { isReservedHeader } from './reserved-headers';
export { FollowedCache } from './followed-cache';
export { checkTenant, parseTenant, type CheckedTenant } from './check-tenant';
export { checkClientRules } from './check-client-rules';
export { AddressPolicy } from './address-policy';
export {
  addressRulesOf,
  clientLimitOf,
  demandAddress,
  type AddressRules,
  type ClientLimit,
  type ClientRuleFields,
} from './address-rules';
export { ForbiddenAddressError, permittedLookup, type SystemLookup } from './permitted-lookup';
export { normalPath, looseForm } from './normal-path';
export { RouteTable, depth, longestPrefix, routeFor, type Route } from './route-table';
export { routePath } from './route-path';
export { commonUpstream, pathAt, type Upstream } from './common-parts';
export { ServedTenant, routeName } from './served-tenant';
export { Caller, ServedKey, anonymousCaller, foreignKeyId } from './served-key';
export { ServedService } from './served-service';
export { backoffMs, servedRetries, type RetryPolicy, type ServedRetries } from './retry-policy';
export { checkRetries } from './check-retries';
export { ServedTarget, type TargetTrouble } from './served-target';
export { TargetSet, type Entry } from './target-set';
export { TargetHealth, watchId, type WatchedService } from './target-health';
export { breakerKey, type TargetsOwner } from './equip-targets';
export type { TargetEvent, TargetEventName } from './target-events';
export { Turns } from './turns';
export { TenantDirectory } from './tenant-directory';
export { API_KEY_CHALLENGE, generateCredential, hashApiKey, isCredential } from './api-key-format';
export {
  TenantRepository,
  type Belongings,
  type StoredTenant,
  type TenantDocument,
} from './tenant-repository';
export { spendCapNews } from './tenant-budgets';
export {
  DEFAULT_SERVICE_KEY_RATE_LIMIT,
  type ApiKeyFields,
  type ApiKeyPatch,
  type ApiKeyRecord,
  type CreatedApiKey,
  type ListedApiKey,
  type RotatedApiKey,
  type StoredApiKey,
} from './api-key';
export { checkApiKeyFields, type KeyMapping } from './check-api-key';
export { ApiKeyRepository } from './api-key-repository';
export {
  isServiceId,
  type Balance,
  type HealthCheck,
  type PassiveChecks,
  type Service,
  type ServiceFields,
  type ServiceTarget,
  type StoredService,
} from './service';
export { checkIssuers, checkServiceFields, parseService, type CheckedService } from './check-service';
export { expectedStatuses } from './check-health';
export { ServiceRepository, memberOf as serviceIndexMember } from './service-repository';
export { GenerationalCache } from './generational-cache';
export { DEFAULT_BILLING, parseBilling, type TenantBilling } from './tenant-billing';
export { ROUTE_SHAPE_FIELDS, Shape, compressionOf, shapeOf, type RouteShapeFields } from './shaping/shape';
export { checkRouteShape, checkShape } from './shaping/check-shape';
export { checkStrip } from './shaping/check-rewrite';
export { checkHeaders } from './shaping/check-headers';
export { ServedCompression, type Coding, type CompressionPolicy } from './shaping/compression-policy';
export {
  HeaderChanges,
  plainName,
  type HeaderChange,
  type HeaderChangeFields,
} from './shaping/header-changes';
export type { RequestFacts } from './shaping/header-text';
export { MappedBack, type WayBack } from './shaping/mapped-back';
export { ServedMirror, type MirrorPolicy } from './shaping/mirror-policy';
export { PathRewrite, type PathChange, type RewritePolicy } from './shaping/path-rewrite';
export { sortableId } from './sortable-id';
export {
  checkAuth,
  checkFlag,
  checkKnown,
  checkMethods,
  checkRateLimit,
  checkRoutePath,
  checkWhole,
  isDictionary,
  parseJson,
  type Dictionary,
  type Report,
} from './field-checks';
export { MAX_ROUNDS, demandVersion, invalid, readTenant, requireTenant } from './preconditions';
export { isWrongType } from './tenant-index';
export { hasEnded as hasEndedKey } from './api-key';
export { checkBilling } from './tenant-billing';
