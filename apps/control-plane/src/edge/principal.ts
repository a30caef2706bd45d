import {
  SetMetadata,
  createParamDecorator,
  type CustomDecorator,
  type ExecutionContext,
} from '@nestjs/common';
import { GatewayError } from '#libs/errors';
import type { ControlRequest } from './control-request';

/** For whom an operation of the portal acts. */
export interface Principal {
  readonly tenantId: string;
  /** How the credential was: the owner's, an API key, a portal token, or none where registration is open. */
  readonly kind: 'owner' | 'key' | 'token' | 'anonymous';
  /** The key that was sent; undefined for any other credential. */
  readonly keyId?: string;
  /** Set for a key that opens one service only: it belongs to a consumer of that service, not to the tenant. */
  readonly serviceId?: string;
}

/** Tenant of whatever is registered without a credential, and of the owner who names no other. */
export const DEFAULT_TENANT = 'default';

/** Whom an operation of the portal lets in, beside the owner. */
export interface PortalRules {
  /** Also without a credential, where OPEN_REGISTRATION is on. */
  readonly anonymous?: boolean;
  /** Also consumers, that is keys of one service; what they may see is the operation's business. */
  readonly consumers?: boolean;
}

export const PORTAL = Symbol('portal');

/** Opens an operation to tenants, who come with an API key or a portal token of their own. The owner says for whom by `?tenant_id=`. */
export const Portal = (rules: PortalRules = {}): CustomDecorator<symbol> => SetMetadata(PORTAL, rules);

/** The principal of an operation that is marked `@Portal()`. */
export const ActsFor = createParamDecorator((_: unknown, execution: ExecutionContext): Principal => {
  const { principal } = execution.switchToHttp().getRequest<ControlRequest>();
  if (!principal) throw new Error('an operation asks who acts and is not marked @Portal()');
  return principal;
});

/** @throws GatewayError key_not_allowed for consumers */
export function requireTenant(principal: Principal): Principal {
  if (principal.serviceId === undefined) return principal;
  throw new GatewayError('key_not_allowed', 'this needs a key of the tenant, not one of a single service');
}
