import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import {
  shownProvider,
  shownSignatureKeys,
  type AuthPolicy,
  type RateLimit,
  type RouteRule,
  type StoredTenant,
  type TenantTimeouts,
} from '#libs/tenants';
import { PageQuery } from '../edge/page.dto';
import { Search } from '../edge/search';
import { BrokenTenantDto, TenantDto } from './tenant.dto';

/**
 * A tenant as it is shown: the fields that are ours. Other programs may keep theirs in the same document, and of
 * those nobody knows whether they are secret.
 */
export function tenantView(stored: StoredTenant): TenantDto | BrokenTenantDto {
  if (!stored.tenant) return { id: stored.id, problems: stored.problems };
  const { id, name, upstreamBaseUrl, allowedRoutes, auth, rateLimit, timeouts, suspended } = stored.tenant;
  const { idp, idps, serviceTokens, breaker, compression } = stored.tenant;
  const { retries, signatureKeys, signing, inboundSignature } = stored.tenant;
  const { maxBodyBytes, maxConcurrency, maxStreams, maintenance } = stored.tenant;
  const { rateLimitPerIp, ipAllow, ipDeny, cache } = stored.tenant;
  return {
    id,
    name,
    upstreamBaseUrl,
    allowedRoutes: allowedRoutes.map(routeView),
    auth: auth && { jwt: auth.jwt },
    rateLimit: rateLimit && limitView(rateLimit),
    rateLimitPerIp: rateLimitPerIp && limitView(rateLimitPerIp),
    ipAllow,
    ipDeny,
    idp: idp && shownProvider(idp),
    idps: idps?.map(shownProvider),
    serviceTokens,
    timeouts: timeouts && timeoutsView(timeouts),
    retries,
    breaker,
    compression,
    signatureKeys: signatureKeys && shownSignatureKeys(signatureKeys),
    signing,
    inboundSignature,
    cache,
    suspended,
    maxBodyBytes,
    maxConcurrency,
    maxStreams,
    maintenance,
  };
}

export function routeView(rule: RouteRule): RouteRule {
  const { requestHeaders, responseHeaders, compression, mirror, rewrite, signing, inboundSignature } = rule;
  const { path, methods, auth, rateLimit, rateLimitPerIp, ipAllow, ipDeny } = rule;
  return {
    path,
    methods,
    auth: auth && authView(auth),
    rateLimit: rateLimit && limitView(rateLimit),
    requestHeaders,
    responseHeaders,
    compression,
    mirror,
    rewrite,
    signing,
    inboundSignature,
    maxBodyBytes: rule.maxBodyBytes,
    rateLimitPerIp: rateLimitPerIp && limitView(rateLimitPerIp),
    ipAllow,
    ipDeny,
    cache: rule.cache,
  };
}

export function authView({ jwt, issuers, claims, scopes, roles, claimHeaders }: AuthPolicy): AuthPolicy {
  return { jwt, issuers, claims, scopes, roles, claimHeaders };
}

function limitView({ windowSeconds, maxRequests }: RateLimit): RateLimit {
  return { windowSeconds, maxRequests };
}

function timeoutsView({ connectMs, firstByteMs, idleMs, totalMs }: TenantTimeouts): TenantTimeouts {
  return { connectMs, firstByteMs, idleMs, totalMs };
}

const ETAG = { description: 'Version of the document, for If-Match.', schema: { type: 'string' as const } };

const TENANT_SCHEMA = {
  oneOf: [{ $ref: getSchemaPath(TenantDto) }, { $ref: getSchemaPath(BrokenTenantDto) }],
};

/** Documents a response that shows a tenant. */
export const ShowsTenant = (status: 200 | 201): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(TenantDto, BrokenTenantDto),
    ApiResponse({
      status,
      description: status === 201 ? 'The new tenant.' : 'The tenant.',
      headers: status === 201 ? { ETag: ETAG, Location: { schema: { type: 'string' } } } : { ETag: ETAG },
      schema: status === 201 ? { $ref: getSchemaPath(TenantDto) } : TENANT_SCHEMA,
    }),
  );

/** Documents a response that shows a page of tenants. */
/** Which tenants are wanted. */
export class TenantsQuery extends PageQuery {
  @Search('the id or a word of the name')
  search?: string;
}

export const ShowsTenants = (): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(TenantDto, BrokenTenantDto),
    ApiResponse({
      status: 200,
      description: 'A page of tenants, in the byte order of their ids.',
      schema: {
        type: 'object',
        required: ['tenants', 'nextCursor', 'total'],
        properties: {
          tenants: { type: 'array', items: TENANT_SCHEMA },
          nextCursor: { type: 'string', nullable: true, description: 'null on the last page.' },
          total: { type: 'integer', nullable: true, description: 'Of all; null for a search.' },
        },
      },
    }),
  );
