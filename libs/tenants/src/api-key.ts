import type { RateLimit } from './tenant';

/** What whoever makes an API key says about it. */
export interface ApiKeyFields {
  name: string;
  /** The one service that the key opens; absent: whatever the tenant publishes itself. Never changes. */
  serviceId?: string;
  /** Becomes part of the key (`gh_live_…`, `gh_test_…`); absent means live. Never changes. */
  mode?: 'live' | 'test';
  labels?: Record<string, string>;
  /** ISO 8601; from this moment on the key is refused. */
  expiresAt?: string;
  /** Absent means true. */
  enabled?: boolean;
  /** The key's own limit, beside that of its tenant. */
  rateLimit?: RateLimit;
  /** Decimal text, because amounts of money are exact. */
  pricePerRequest?: string;
  /** Paths with everything below them, as in a tenant's routes; absent means any. */
  allowedRoutes?: string[];
  /** Upper-case methods; GET includes HEAD; absent means any. */
  allowedMethods?: string[];
  /** Addresses, CIDR blocks and wildcards, IPv4 and IPv6; absent means any. */
  allowedIps?: string[];
  /** Requests per calendar month, UTC. */
  monthlyQuota?: number;
}

/** What may be changed later; null removes. Nested values are replaced as a whole. */
export type ApiKeyPatch = {
  [Field in Exclude<keyof ApiKeyFields, 'serviceId' | 'mode'>]?: ApiKeyFields[Field] | null;
};

/** What may be known about an API key after it has been shown. */
export interface ApiKeyRecord extends Omit<ApiKeyFields, 'mode'> {
  /** Sorts by the time of creation. */
  id: string;
  tenantId: string;
  /** The beginning of the key, enough to recognise it by. */
  prefix: string;
  /** ISO 8601. */
  createdAt: string;
  enabled: boolean;
  /** ISO 8601; set by a rotation: until then this key works beside the one that replaces it. */
  validUntil?: string;
  /** Id of the key that a rotation made from this one. */
  replacedBy?: string;
  /** Id of the key that a rotation made this one from. */
  replaces?: string;
  /** Id of the first key of a line of rotations: they share one limit and one quota, or a rotation would renew them. */
  lineage?: string;
}

/** What a key may do, as against which key it is. */
export type ApiKeyTerms = Omit<ApiKeyRecord, 'id' | 'prefix' | 'createdAt'>;

/** A record, and whether the key is accepted now: enabled, not expired, and not withdrawn by another program. */
export interface ListedApiKey extends ApiKeyRecord {
  active: boolean;
}

/** A record with the version of its document. */
export interface StoredApiKey {
  readonly record: ApiKeyRecord;
  readonly active: boolean;
  /** Undefined for a key whose document another program has deleted or given to another tenant. */
  readonly version: string | undefined;
  /** Under which the document lies in the store, for those who wait until its change has been followed. */
  readonly document: string;
}

/** A new key. The key itself is in `apiKey`, and never again anywhere else. */
export interface CreatedApiKey {
  readonly record: ApiKeyRecord;
  readonly version: string;
  readonly apiKey: string;
}

/** The successor of a key. */
export interface RotatedApiKey extends CreatedApiKey {
  /** Under which the document of the old key lies in the store. */
  readonly changed: string;
}

/** Limit of a key that opens one service, unless it is given another (documented default). */
export const DEFAULT_SERVICE_KEY_RATE_LIMIT: RateLimit = { windowSeconds: 60, maxRequests: 10 };

/** @param fields that have passed `checkApiKeyFields`. */
export function termsOfNew(tenantId: string, fields: ApiKeyFields): ApiKeyTerms {
  const { mode: _, enabled = true, expiresAt, ...rest } = fields;
  const terms: ApiKeyTerms = { ...rest, tenantId, enabled };
  if (expiresAt !== undefined) terms.expiresAt = inUtc(expiresAt);
  if (fields.serviceId !== undefined) terms.rateLimit ??= DEFAULT_SERVICE_KEY_RATE_LIMIT;
  return terms;
}

/** Everything that the key which takes the place of another inherits. */
export function termsOfSuccessor(record: ApiKeyRecord): ApiKeyTerms {
  const terms: Partial<ApiKeyRecord> = {
    ...record,
    replaces: record.id,
    lineage: record.lineage ?? record.id,
  };
  for (const field of ['id', 'prefix', 'createdAt', 'validUntil', 'replacedBy'] as const) delete terms[field];
  return terms as ApiKeyTerms;
}

/** @param patch that has passed `checkApiKeyFields`. */
export function patchedRecord(record: ApiKeyRecord, patch: ApiKeyPatch): ApiKeyRecord {
  const changed: Record<string, unknown> = { ...record };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete changed[field];
    else if (value !== undefined) changed[field] = field === 'expiresAt' ? inUtc(value as string) : value;
  }
  return changed as unknown as ApiKeyRecord;
}

/** Whether a key has expired, or has been replaced and its time of grace is over. */
export function hasEnded({ expiresAt, validUntil }: ApiKeyRecord, now: number): boolean {
  return [expiresAt, validUntil].some((time) => time !== undefined && Date.parse(time) <= now);
}

/** One form for every moment. */
function inUtc(time: string): string {
  return new Date(time).toISOString();
}
