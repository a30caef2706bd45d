import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { GatewayError } from '#libs/errors';
import { API_KEY_CHALLENGE, TenantDirectory, type Caller } from '#libs/tenants';
import { requestOf, type RequestContext } from './request-context';

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
export function identifyCaller(use: KeyUse, directory: TenantDirectory): Caller | Promise<Caller> {
  const { apiKey } = use;
  if (!apiKey) {
    const detail = 'send the key in the X-API-Key header';
    throw new GatewayError('missing_api_key', detail, { headers: API_KEY_CHALLENGE });
  }
  if (apiKey.length > MAX_KEY_LENGTH)
    throw new GatewayError('invalid_api_key', undefined, { headers: API_KEY_CHALLENGE });
  const caller = directory.byApiKey(apiKey);
  return caller instanceof Promise ? caller.then((found) => permitted(found, use)) : permitted(caller, use);
}

function permitted(caller: Caller, { method, routedPath, clientAddress }: KeyUse): Caller {
  if (caller.tenant.suspended) throw new GatewayError('tenant_suspended');
  const objection =
    method === undefined
      ? caller.key.objectionToHolder(Date.now(), clientAddress)
      : caller.key.objection(Date.now(), method, routedPath || '/', clientAddress);
  if (objection === undefined) return caller;
  const challenge = objection === 'key_expired' || objection === 'key_disabled';
  throw new GatewayError(objection, undefined, challenge ? { headers: API_KEY_CHALLENGE } : {});
}

/** First of the request path: who is calling. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(private readonly directory: TenantDirectory) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const { context } = requestOf(execution);
    context.judge = 'api_key';
    const caller = identifyCaller(context, this.directory);
    // Nearly always at once: a promise per guard and request would cost as much as the guard.
    if (caller instanceof Promise) return caller.then((found) => pass(context, found));
    return pass(context, caller);
  }
}

function pass(context: RequestContext, caller: Caller): true {
  context.caller = caller;
  context.tenant = caller.tenant;
  return true;
}
