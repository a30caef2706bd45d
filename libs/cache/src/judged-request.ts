import { hash } from 'node:crypto';
import type { Route, ServedCachePolicy, ServedService, ServedTenant } from '#libs/tenants';
import { cacheKey } from './cache-key';
import { identityOf, type TokenFacts } from './identity';
import { readRequestFields, type RequestFields } from './request-fields';
import type { Located } from './response-store';

/** What the store has to know of a request that has passed the guards. */
export interface JudgedRequest {
  readonly method: string;
  readonly upgrade: string | undefined;
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly apiKey: string | undefined;
  readonly authorization: string | undefined;
  /** As they passed the guards, flat: name, value, name, value, … */
  readonly upstreamHeaders: readonly string[];
  /** Undefined without a body. */
  readonly bodyLength: number | undefined;
  readonly tenant: ServedTenant | undefined;
  readonly service: ServedService | undefined;
  readonly route: Route | undefined;
  readonly published: PublishedPlace | undefined;
  readonly token: TokenFacts | undefined;
  readonly verifiedSignature: { readonly keyId: string } | undefined;
}

/** Of a published route. */
interface PublishedPlace {
  readonly name: string;
  readonly place: string;
  readonly forwardsApiKey: boolean;
  readonly cache: ServedCachePolicy | undefined;
}

/** The policy of the most particular place: published route, service or route, tenant. Undefined: nothing is stored. */
export function cachePolicyOf(request: JudgedRequest): ServedCachePolicy | undefined {
  const { published, service, route, tenant } = request;
  return published?.cache ?? (service ?? route)?.cache ?? tenant?.cache;
}

/**
 * Why the store does not answer a request, by the request alone: `none` of its business; an unsafe one that `invalidates`
 * what is stored; the client asks the upstream itself (`request`); or what stands in the way.
 */
export type NoAnswer = 'none' | 'invalidates' | 'request' | 'shaped' | 'header' | 'body';

/** What a request's headers ask of the store, or why it does not answer this one. */
export function storeFields(request: JudgedRequest, policy: ServedCachePolicy): RequestFields | NoAnswer {
  const { method, upgrade, route, service, bodyLength } = request;
  if (upgrade || method === 'OPTIONS') return 'none';
  if (method !== 'GET' && method !== 'HEAD') return 'invalidates';
  if (!policy.stores || (method === 'HEAD' && !policy.head)) return 'none';
  if (route?.shape?.isCacheable === false || service?.shape?.isCacheable === false) return 'shaped';
  const fields = readRequestFields(request.upstreamHeaders);
  if (fields.bypass) return 'header';
  // A body may change the answer, and is in no key.
  if (bodyLength !== undefined) return 'body';
  return fields.directives?.noStore ? 'request' : fields;
}

/** Where the response to a request lies, or would. */
export interface RequestPlace {
  readonly located: Located;
  /** Whether the key is one principal's own. */
  readonly identified: boolean;
  /** The key does not say whose credential the request carries (RFC 9111 §3.5). */
  readonly sharesCredentials: boolean;
}

/** @param fields of the request */
export function locate(
  request: JudgedRequest,
  policy: ServedCachePolicy,
  { cookie }: RequestFields,
): RequestPlace {
  const { tenant, token, authorization, scheme, host, path, query } = request;
  if (!tenant) throw new Error('the cache was asked before the guards');
  const own = ownIdentity(request);
  const identity = policy.perIdentity === false ? '' : identityOf(token, authorization, cookie) + own;
  const credentials = authorization !== undefined || cookie !== undefined || own !== '';
  const headers = [...request.upstreamHeaders];
  const key = cacheKey({ scheme, host, path, query, place: placeOf(request), identity }, policy, headers);
  const located = { tenantId: tenant.id, key, headers };
  const identified = identity !== '';
  return { located, identified, sharesCredentials: credentials && !identified };
}

/**
 * Who asks, by what is in no header yet: a key that is forwarded is kept out of them until then, and who has signed a
 * request the upstream is told by the gateway. Empty for nearly everybody.
 */
function ownIdentity({ published, apiKey, verifiedSignature }: JudgedRequest): string {
  const key =
    published?.forwardsApiKey && apiKey !== undefined ? ` k:${hash('sha256', apiKey, 'base64')}` : '';
  return verifiedSignature === undefined ? key : `${key} s:${verifiedSignature.keyId}`;
}

/** Where a request goes: what is stored is not found any more once that has changed. */
function placeOf({ published, service, route, tenant }: JudgedRequest): string {
  if (published) return `${published.place} ${service?.place ?? ''}`;
  if (service) return service.place;
  const { origin = '', basePath = '' } = tenant?.upstream ?? {};
  return `r:${route?.key ?? ''} ${origin}${basePath} ${route?.shape?.forwardsAs ?? ''}`;
}

/** How purges name where a request went. */
export function routeNameOf({ published, service, route }: JudgedRequest): string {
  if (published) return published.name;
  return service ? `/proxy/${service.id}` : (route?.path ?? '');
}
