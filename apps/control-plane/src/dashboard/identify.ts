import type { ExecutionContext } from '@nestjs/common';
import { GatewayError } from '#libs/errors';
import { WhoAmIController } from '../admin-tokens/who-am-i.controller';
import type { AdminGuard } from '../edge/admin.guard';
import type { ControlRequest } from '../edge/control-request';
import { MeController } from '../portal/me.controller';
import type { WhoIs } from '../portal/who-is';
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
      identity: principal ? await this.ofTenant(credential, probe) : ofAdmin(actor),
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

  private async ofTenant({ header }: Credential, { principal }: ControlRequest): Promise<Identity> {
    if (!principal) throw new Error('nobody is known');
    const { tenant_id: tenantId, name, role } = await this.who.describe(principal);
    const credential = header === 'x-api-key' ? 'api_key' : 'portal_token';
    return { role, tenantId, tenantName: name, serviceId: principal.serviceId ?? null, credential };
  }
}

function ofAdmin(actor: ControlRequest['actor']): Identity {
  const role = actor === 'owner' ? 'owner' : 'admin';
  return { role, tenantId: null, tenantName: null, serviceId: null, credential: 'admin_token' };
}
