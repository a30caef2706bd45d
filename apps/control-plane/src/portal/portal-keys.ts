import { formatMoney, parsePrice } from '#libs/billing';
import { GatewayError } from '#libs/errors';
import { keys, type Store } from '#libs/store';
import {
  ApiKeyRepository,
  DEFAULT_SERVICE_KEY_RATE_LIMIT,
  parseBilling,
  type ApiKeyFields,
  type ApiKeyPatch,
  type ApiKeyRecord,
  type CreatedApiKey,
  type RateLimit,
  type StoredApiKey,
} from '#libs/tenants';
import { inDocumentedNames } from './documented-names';
import type { CreatedPortalKeyDto, NewPortalKeyDto, PortalKeyDto, PortalKeyPatchDto } from './portal-key.dto';

type Versions = readonly string[] | undefined;
/** Of two who change the parts of one limit at the same time, each round lets one through. */
const MAX_ROUNDS = 20;

/** The API keys of a tenant in the documented words. */
export class PortalKeys {
  constructor(
    private readonly store: Store,
    private readonly apiKeys: ApiKeyRepository,
  ) {}

  create(tenantId: string, body: NewPortalKeyDto): Promise<CreatedApiKey> {
    return inDocumentedNames(() => this.apiKeys.create(tenantId, newFields(body)));
  }

  /** The documented limit has two names, of which one may be changed alone. */
  change(
    tenantId: string,
    keyId: string,
    patch: PortalKeyPatchDto,
    versions: Versions,
  ): Promise<StoredApiKey> {
    return inDocumentedNames(async () => {
      for (let round = 1; ; round++) {
        const { record, version } = await this.apiKeys.get(tenantId, keyId);
        const rateLimit = limitOf(patch, record.rateLimit);
        const fields = { ...termsOf(patch), ...(rateLimit !== undefined && { rateLimit }) } as ApiKeyPatch;
        // Only what was computed from the stored limit depends on its not having changed.
        const computed = rateLimit && version !== undefined ? [version] : undefined;
        try {
          return await this.apiKeys.update(tenantId, keyId, fields, versions ?? computed);
        } catch (error) {
          const overtaken = error instanceof GatewayError && error.code === 'precondition_failed';
          if (!overtaken || versions || !computed || round === MAX_ROUNDS) throw error;
        }
      }
    });
  }

  async view(tenantId: string, { record, active }: Pick<StoredApiKey, 'record' | 'active'>) {
    return viewOf(record, active, await this.priceOf(tenantId));
  }

  async viewAll(
    tenantId: string,
    list: ReadonlyArray<ApiKeyRecord & { active: boolean }>,
  ): Promise<PortalKeyDto[]> {
    const price = await this.priceOf(tenantId);
    return list.map((key) => viewOf(key, key.active, price));
  }

  async viewCreated(tenantId: string, { record, apiKey }: CreatedApiKey): Promise<CreatedPortalKeyDto> {
    return { ...(await this.view(tenantId, { record, active: record.enabled })), api_key: apiKey };
  }

  private async priceOf(tenantId: string): Promise<string> {
    return parseBilling(await this.store.documents.get(keys.tenantBilling(tenantId))).pricePerRequest;
  }
}

function newFields({ name, service_id: serviceId, mode, ...terms }: NewPortalKeyDto): ApiKeyFields {
  const rateLimit = limitOf(terms, undefined);
  return {
    ...termsOf({ ...terms, name }),
    serviceId: typeof serviceId === 'number' ? String(serviceId) : serviceId,
    mode,
    rateLimit,
  } as ApiKeyFields;
}

/** @throws GatewayError validation_failed for a price that is none */
function termsOf(body: PortalKeyPatchDto): Record<string, unknown> {
  const { name, enabled, labels, price_per_request: price } = body;
  return {
    name,
    enabled,
    labels,
    expiresAt: body.expires_at,
    monthlyQuota: body.monthly_quota,
    allowedRoutes: body.allowed_routes,
    allowedMethods: body.allowed_methods,
    allowedIps: body.allowed_ips,
    pricePerRequest: price === undefined || price === null ? price : decimalOf(price),
  };
}

function decimalOf(price: unknown): string {
  const { nano, problems } = parsePrice(price, 'pricePerRequest');
  if (nano === undefined) throw new GatewayError('validation_failed', undefined, { fields: problems });
  return formatMoney(nano);
}

/** @returns null to remove the limit, undefined to leave it; half of one is completed by the stored or documented one. */
function limitOf(body: PortalKeyPatchDto, stored: RateLimit | undefined): RateLimit | null | undefined {
  const { rate_limit_requests: requests, rate_limit_window_seconds: windowSeconds } = body;
  if (requests === undefined && windowSeconds === undefined) return undefined;
  if (requests === null) return null;
  const { maxRequests, windowSeconds: window } = stored ?? DEFAULT_SERVICE_KEY_RATE_LIMIT;
  return { maxRequests: requests ?? maxRequests, windowSeconds: windowSeconds ?? window };
}

function viewOf(record: ApiKeyRecord, active: boolean, tenantPrice: string): PortalKeyDto {
  return {
    id: record.id,
    name: record.name,
    prefix: record.prefix,
    service_id: record.serviceId === undefined ? null : Number(record.serviceId),
    rate_limit_requests: record.rateLimit?.maxRequests ?? null,
    rate_limit_window_seconds: record.rateLimit?.windowSeconds ?? null,
    price_per_request: Number(record.pricePerRequest ?? tenantPrice),
    monthly_quota: record.monthlyQuota ?? null,
    allowed_routes: record.allowedRoutes ?? null,
    allowed_methods: record.allowedMethods ?? null,
    allowed_ips: record.allowedIps ?? null,
    labels: record.labels ?? null,
    created_at: record.createdAt,
    expires_at: record.expiresAt ?? null,
    enabled: record.enabled,
    active,
    valid_until: record.validUntil ?? null,
    replaced_by: record.replacedBy ?? null,
    replaces: record.replaces ?? null,
  };
}
