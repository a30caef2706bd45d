/**
 * cache: which responses a shared cache may store, what may be done with them later (RFC 9111, RFC 5861), under which keys
 * they lie, and the two places where they do: the memory of the process, and Redis for all replicas. Owns purges and how
 * replicas follow them.
 * Not here: forwarding, recording and answering requests (data plane), and what a policy looks like (`tenants`).
 */
export { uriKey, variantKey } from './cache-key';
export { cachePolicyOf, locate, routeNameOf, storeFields, type JudgedRequest } from './judged-request';
export { Peek, type Peeked } from './peek';
export { dropConditions, type RequestFields } from './request-fields';
export { TAG_FIELDS, readResponseFields, type ResponseFields } from './response-fields';
export { storageTerms, type StorageTerms } from './storing';
export { StoredResponse, bodyOf, type Origin } from './stored-response';
export { STANDS_IN_FOR, standsIn, usability, type Forwarded } from './freshness';
export { conditionsFor, hasIt, headersOf304, renewed } from './conditions';
export { isOfTheSame, rangeOf, type ByteRange } from './byte-range';
export { forwardedStatus, hitStatus, type CacheOutcome } from './cache-status';
export { ResponseStore, type Located } from './response-store';
export { MemoryTier } from './memory-tier';
export { NO_PURGES, type PurgeList } from './purge-list';
export { checkPurge, type CheckedPurge } from './check-purge';
export { TenantResponses } from './tenant-responses';
export { addPurge } from './purges';
