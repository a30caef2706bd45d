import { GatewayError } from '#libs/errors';
import type { PublishedRoute } from '#libs/publications';
import {
  API_KEY_CHALLENGE,
  anonymousCaller,
  demandAddress,
  type Caller,
  type ServedTenant,
  type TenantDirectory,
} from '#libs/tenants';
import type { RequestContext } from './request-context';

/** Longer than any key; hashing what cannot be one is work for nothing. */
const MAX_KEY_LENGTH = 512;

/** What of a request decides whether its key may be used for it. Without a method it is not one to an upstream. */
export type KeyUse = Pick<RequestContext, 'apiKey' | 'clientAddress'> &
  Partial<Pick<RequestContext, 'method' | 'routedPath'>>;

/**
 * The tenant and the key that a request carries, if the key may be used for it now.
 * @throws GatewayError missing_api_key, invalid_api_key, tenant_suspended, tenant_misconfigured, store_unavailable, and
 *   what the key itself objects to: key_expired, key_disabled, key_not_allowed, address_not_allowed
 */
export function identifyCaller(
  use: KeyUse,
  directory: Pick<TenantDirectory, 'byApiKey'>,
): Caller | Promise<Caller> {
  const caller = callerOf(use.apiKey, directory);
  return caller instanceof Promise ? caller.then((found) => permitted(found, use)) : permitted(caller, use);
}

/** What of a request to a published route decides who calls. */
type Visit = Pick<RequestContext, 'apiKey' | 'clientAddress' | 'method' | 'path'>;

/**
 * Who calls a published route: the holder of a key of its tenant where it asks for one, otherwise anybody.
 * @throws GatewayError as `identifyCaller`, invalid_api_key also for another tenant's; not_found if the tenant is gone
 */
export function identifyVisitor(
  visit: Visit,
  route: PublishedRoute,
  directory: Pick<TenantDirectory, 'byApiKey' | 'tenant'>,
): Caller | Promise<Caller> {
  if (!route.requiresApiKey) {
    const tenant = directory.tenant(route.tenantId);
    return tenant instanceof Promise
      ? tenant.then((found) => anonymous(found, visit))
      : anonymous(tenant, visit);
  }
  const caller = callerOf(visit.apiKey, directory);
  return caller instanceof Promise
    ? caller.then((found) => permittedTo(route, found, visit))
    : permittedTo(route, caller, visit);
}

function anonymous(tenant: ServedTenant | undefined, { clientAddress }: Visit): Caller {
  if (tenant === undefined) throw new GatewayError('not_found');
  if (tenant.suspended) throw new GatewayError('tenant_suspended');
  demandAddress(tenant.addresses, clientAddress, 'tenant');
  return anonymousCaller(tenant);
}

/** A key's routes are compared with the path as it is published: what the upstream is asked for is no client's business. */
function permittedTo(route: PublishedRoute, caller: Caller, { method, path, clientAddress }: Visit): Caller {
  // To this tenant a key of another one is no key; saying more would tell whose it is.
  if (caller.tenant.id !== route.tenantId)
    throw new GatewayError('invalid_api_key', undefined, { headers: API_KEY_CHALLENGE });
  return permitted(caller, { apiKey: undefined, method, routedPath: path, clientAddress });
}

/** @throws GatewayError missing_api_key, or as `TenantDirectory.byApiKey` */
function callerOf(
  apiKey: string | undefined,
  directory: Pick<TenantDirectory, 'byApiKey'>,
): Caller | Promise<Caller> {
  if (!apiKey) {
    const detail = 'send the key in the X-API-Key header';
    throw new GatewayError('missing_api_key', detail, { headers: API_KEY_CHALLENGE });
  }
  if (apiKey.length > MAX_KEY_LENGTH)
    throw new GatewayError('invalid_api_key', undefined, { headers: API_KEY_CHALLENGE });
  return directory.byApiKey(apiKey);
}

/** @throws GatewayError if the tenant is suspended or the key objects to this use */
function permitted(caller: Caller, { method, routedPath, clientAddress }: KeyUse): Caller {
  if (caller.tenant.suspended) throw new GatewayError('tenant_suspended');
  demandAddress(caller.tenant.addresses, clientAddress, 'tenant');
  const objection =
    method === undefined
      ? caller.key.objectionToHolder(Date.now(), clientAddress)
      : caller.key.objection(Date.now(), method, routedPath || '/', clientAddress);
  if (objection === undefined) return caller;
  const challenge = objection === 'key_expired' || objection === 'key_disabled';
  throw new GatewayError(objection, undefined, challenge ? { headers: API_KEY_CHALLENGE } : {});
}
