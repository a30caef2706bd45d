/** Every key Gatehouse uses. Names with `tenant:` and `rl:` are documented and also written by other programs. */

/** Everything under this prefix is configuration that caches follow. */
export const CONFIG_PREFIX = 'tenant:';

/** Channel on which our own writers announce the key they changed. */
export const CHANGES_CHANNEL = 'gatehouse:changes';

/** Sorted set of live data plane processes by the time they were last seen. */
export const REPLICAS = 'gatehouse:replicas';

/** Ordered index of all tenant ids. */
export const TENANT_INDEX = 'gatehouse:tenants';

/** JSON document of a tenant. */
export const tenant = (id: string): string => `tenant:${id}`;

/** Tenant id of an API key, by the lower-case hex SHA-256 of the key. */
export const apiKeyMapping = (keyHash: string): string => `tenant:byApiKey:${keyHash}`;

// The braces are Redis Cluster hash tags: what belongs to one tenant lives in one slot.
/** Ordered index of a tenant's API key ids. */
export const apiKeyIndex = (tenantId: string): string => `gatehouse:{${tenantId}}:keys`;
/** JSON record of one API key: name, prefix, hash, times. */
export const apiKeyRecord = (tenantId: string, keyId: string): string =>
  `gatehouse:{${tenantId}}:key:${keyId}`;
/** Hash of a tenant's usage counters. */
export const usage = (tenantId: string): string => `gatehouse:{${tenantId}}:usage`;

/** Token bucket of a tenant. The window is part of the name, so that a new window starts a new bucket. */
export const rateLimit = (tenantId: string, windowSeconds: number): string =>
  `rl:${tenantId}:${windowSeconds}`;

/** The tenant id in a document key, or undefined for any other key. */
export function tenantIdOf(key: string): string | undefined {
  const id = key.startsWith(CONFIG_PREFIX) ? key.slice(CONFIG_PREFIX.length) : '';
  return id === '' || id.includes(':') ? undefined : id;
}
