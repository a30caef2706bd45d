import type { ExecutionContext } from '@nestjs/common';
import { GatewayError } from '#libs/errors';
import { WhoAmIController } from '../admin-tokens/who-am-i.controller';
import type { AdminGuard } from '../edge/admin.guard';
import type { ControlRequest } from '../edge/control-request';
import type { Principal } from '../edge/principal';
import { MeController } from '../portal/me.controller';
import type { WhoIs } from '../portal/who-is';
import type { Permissions } from './permissions';
import type { Credential } from './sealed-credential';
import type { Identity } from './session.dto';

/** Who somebody is by a credential, and as whom the log knows him. */
export interface Known {
  readonly credential: Credential;
  readonly identity: Identity;
  readonly actor: ControlRequest['actor'];
}

/** Three parts in base64url (RFC 7515 §7.1). */
const COMPACT_TOKEN = /^[\w-]+\.[\w-]+\.[\w-]*$/;
/** Refusals that mean: not known as that, perhaps as something else. */
const UNKNOWN = ['admin_unauthorized', 'admin_not_configured', 'invalid_api_key', 'invalid_jwt'];

/**
 * Finds out whose a credential is by asking the guard that every operation asks: what it would let in, is let in, and
 * there is no second judgement that could come to another result.
 */
export class Identification {
  constructor(
    private readonly guard: AdminGuard,
    private readonly who: WhoIs,
    private readonly permissions: Permissions,
  ) {}

  /**
   * @param request whose connection says where the credential comes from.
   * @throws GatewayError sign_in_failed; tenant_suspended, address_not_allowed, key_expired, key_disabled, …
   */
  async ofToken(token: string, request: ControlRequest): Promise<Known> {
    const others: Credential = COMPACT_TOKEN.test(token)
      ? { header: 'authorization', value: `Bearer ${token}` }
      : { header: 'x-api-key', value: token };
    for (const credential of [{ header: 'x-admin-token', value: token } as const, others]) {
      try {
        return await this.of(credential, request);
      } catch (error) {
        if (!(error instanceof GatewayError) || !UNKNOWN.includes(error.code)) throw error;
      }
    }
    throw new GatewayError('sign_in_failed');
  }

  /** @throws GatewayError as an operation would refuse the credential */
  async of(credential: Credential, request: ControlRequest): Promise<Known> {
    const place = credential.header === 'x-admin-token' ? WhoAmIController : MeController;
    const probe = await this.admitted(credential, request, place);
    const { actor, principal } = probe;
    return {
      credential,
      actor,
      identity: principal ? await this.ofTenant(credential, principal) : await this.ofAdmin(probe),
    };
  }

  private async admitted(
    credential: Credential,
    { headers, socket }: ControlRequest,
    place: typeof WhoAmIController | typeof MeController,
  ): Promise<ControlRequest> {
    const {
      cookie: _cookie,
      'x-admin-token': _token,
      'x-api-key': _key,
      authorization: _,
      ...rest
    } = headers;
    const probe = {
      method: 'GET',
      headers: { ...rest, [credential.header]: credential.value },
      socket,
      params: {},
      query: {},
    } as unknown as ControlRequest;
    const handler: unknown = Reflect.get(place.prototype, 'show');
    await this.guard.canActivate({
      switchToHttp: () => ({ getRequest: () => probe }),
      getHandler: () => handler,
      getClass: () => place,
    } as unknown as ExecutionContext);
    return probe;
  }

  private async ofTenant({ header }: Credential, principal: Principal): Promise<Identity> {
    const { tenant_id: tenantId, name: tenantName, role } = await this.who.describe(principal);
    if (role === 'owner') throw new Error('the owner has come as a tenant');
    return {
      ...NOBODY_IN_PARTICULAR,
      role,
      tenantId,
      tenantName,
      serviceId: principal.serviceId ?? null,
      credential: header === 'x-api-key' ? 'api_key' : 'portal_token',
      operations: this.permissions.ofTenant(role),
    };
  }

  /** Administrators see all tenants, but for one whose token is for a single tenant. */
  private async ofAdmin({ role = 'owner', actorName, actor, tenantId }: ControlRequest): Promise<Identity> {
    const operations = this.permissions.ofAdmin(role);
    const identity: Identity = {
      ...NOBODY_IN_PARTICULAR,
      role: actor === 'owner' ? 'owner' : 'admin',
      adminRole: role,
      name: actorName ?? null,
      operations,
    };
    if (tenantId === undefined) return identity;
    const { name: tenantName } = await this.who.describe({ tenantId, kind: 'token' });
    return { ...identity, tenantId, tenantName };
  }
}

const NOBODY_IN_PARTICULAR = {
  adminRole: null,
  name: null,
  tenantId: null,
  tenantName: null,
  serviceId: null,
  credential: 'admin_token',
} as const;
