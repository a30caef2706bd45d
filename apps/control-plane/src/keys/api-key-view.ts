import type { ApiKeyRecord, CreatedApiKey, StoredApiKey } from '#libs/tenants';
import type { ApiKeyDto, CreatedApiKeyDto } from './api-key.dto';

/** An API key as its owner sees it: the fields that are ours, for other programs may keep theirs in its document. */
export function apiKeyView(record: ApiKeyRecord, active: boolean): ApiKeyDto {
  const { id, tenantId, serviceId, name, prefix, createdAt, enabled, labels, expiresAt, rateLimit } = record;
  const { pricePerRequest, allowedRoutes, allowedMethods, allowedIps, monthlyQuota } = record;
  const { validUntil, replacedBy, replaces } = record;
  // prettier-ignore
  return {
    id, tenantId, serviceId, name, prefix, createdAt, enabled, active, labels, expiresAt,
    rateLimit: rateLimit && { windowSeconds: rateLimit.windowSeconds, maxRequests: rateLimit.maxRequests },
    pricePerRequest, allowedRoutes, allowedMethods, allowedIps, monthlyQuota, validUntil, replacedBy, replaces,
  };
}

export function storedView({ record, active }: Pick<StoredApiKey, 'record' | 'active'>): ApiKeyDto {
  return apiKeyView(record, active);
}

/** With the key itself, which is seen here and nowhere else. */
export function createdView({ record, apiKey }: CreatedApiKey): CreatedApiKeyDto {
  return { ...apiKeyView(record, record.enabled), key: apiKey };
}
