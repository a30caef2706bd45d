import { hash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import {
  cacheKey,
  identityOf,
  NO_PURGES,
  type Forwarded,
  type Located,
  type PurgeList,
  type RequestFields,
} from '#libs/cache';
import type { GatewayRequest, RequestContext } from '#libs/guards';
import type { ServedCachePolicy } from '#libs/tenants';

/** The policy of the most particular place: published route, service or route, tenant. Undefined: nothing is stored. */
export function cachePolicyOf({
  published,
  service,
  route,
  tenant,
}: RequestContext): ServedCachePolicy | undefined {
  return published?.cache ?? (service ?? route)?.cache ?? tenant?.cache;
}

/** Who asks, and where the answer goes. */
export interface Asked {
  readonly request: GatewayRequest;
  readonly response: ServerResponse;
}

/** A request that may be answered from the store, and what has been found out about it. */
export class Question {
  purges: PurgeList = NO_PURGES;
  reason: Forwarded = 'uri-miss';
  /** It has waited for the request of somebody else. */
  waited = false;

  constructor(
    private readonly asked: Asked,
    readonly policy: ServedCachePolicy,
    readonly fields: RequestFields,
    readonly located: Located,
    /** The key does not say whose credential the request carries (RFC 9111 §3.5). */
    readonly sharesCredentials: boolean,
  ) {}

  get request(): GatewayRequest {
    return this.asked.request;
  }

  get response(): ServerResponse {
    return this.asked.response;
  }

  get context(): RequestContext {
    return this.request.context;
  }

  /** Nobody waits for an answer any more. */
  get gone(): boolean {
    return this.response.destroyed || this.response.writableEnded;
  }
}

/** @param fields of the request */
export function questionOf(
  request: GatewayRequest,
  response: ServerResponse,
  policy: ServedCachePolicy,
  fields: RequestFields,
): Question {
  const { context } = request;
  const { tenant, token, authorization, scheme, host, path, query } = context;
  if (!tenant) throw new Error('the cache was asked before the guards');
  const { cookie } = fields;
  const own = ownIdentity(context);
  const identity = policy.perIdentity === false ? '' : identityOf(token, authorization, cookie) + own;
  const credentials = authorization !== undefined || cookie !== undefined || own !== '';
  const headers = [...context.upstreamHeaders];
  const key = cacheKey({ scheme, host, path, query, place: placeOf(context), identity }, policy, headers);
  const located = { tenantId: tenant.id, key, headers };
  return new Question({ request, response }, policy, fields, located, credentials && identity === '');
}

/**
 * Who asks, by what is in no header yet: a key that is forwarded is kept out of them until then, and who has signed a
 * request the upstream is told by the gateway. Empty for nearly everybody.
 */
function ownIdentity({ published, apiKey, verifiedSignature }: RequestContext): string {
  const key =
    published?.forwardsApiKey && apiKey !== undefined ? ` k:${hash('sha256', apiKey, 'base64')}` : '';
  return verifiedSignature === undefined ? key : `${key} s:${verifiedSignature.keyId}`;
}

/** Where a request goes: what is stored is not found any more once that has changed. */
function placeOf({ published, service, route, tenant }: RequestContext): string {
  if (published) return `${published.place} ${service?.place ?? ''}`;
  if (service) return service.place;
  const { origin = '', basePath = '' } = tenant?.upstream ?? {};
  return `r:${route?.key ?? ''} ${origin}${basePath} ${route?.shape?.forwardsAs ?? ''}`;
}

/** How purges name where a request went. */
export function routeNameOf({ published, service, route }: RequestContext): string {
  if (published) return published.name;
  return service ? `/proxy/${service.id}` : (route?.path ?? '');
}
