import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { GatewayError } from '#libs/errors';
import { API_KEY_CHALLENGE, TenantDirectory, type ServedTenant } from '#libs/tenants';
import { requestOf, type RequestContext } from './request-context';

/** Longer than any key; hashing what cannot be one is work for nothing. */
const MAX_KEY_LENGTH = 512;

/**
 * The tenant whose key the request carries.
 * @throws GatewayError missing_api_key, invalid_api_key, tenant_suspended, tenant_misconfigured, store_unavailable
 */
export function identifyTenant(
  apiKey: string | undefined,
  directory: TenantDirectory,
): ServedTenant | Promise<ServedTenant> {
  if (!apiKey) {
    const detail = 'send the key in the X-API-Key header';
    throw new GatewayError('missing_api_key', detail, { headers: API_KEY_CHALLENGE });
  }
  if (apiKey.length > MAX_KEY_LENGTH)
    throw new GatewayError('invalid_api_key', undefined, { headers: API_KEY_CHALLENGE });
  const tenant = directory.byApiKey(apiKey);
  return tenant instanceof Promise ? tenant.then(unlessSuspended) : unlessSuspended(tenant);
}

function unlessSuspended(tenant: ServedTenant): ServedTenant {
  if (tenant.suspended) throw new GatewayError('tenant_suspended');
  return tenant;
}

/** First of the request path: who is calling. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(private readonly directory: TenantDirectory) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const { context } = requestOf(execution);
    context.judge = 'api_key';
    const tenant = identifyTenant(context.apiKey, this.directory);
    // Nearly always at once: a promise per guard and request would cost as much as the guard.
    if (tenant instanceof Promise) return tenant.then((found) => pass(context, found));
    return pass(context, tenant);
  }
}

function pass(context: RequestContext, tenant: ServedTenant): true {
  context.tenant = tenant;
  return true;
}
