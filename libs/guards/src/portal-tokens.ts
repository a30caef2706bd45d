import type { GatewayConfig } from '#libs/config';
import { PORTAL_SERVICE, gatewayKeys, type ServiceTokenRecord } from '#libs/tokens';
import { checkTokenLength, parseCompactToken } from './jwt/compact-token';
import { invalidToken } from './jwt/invalid-token';
import { OwnTokens } from './jwt/own-tokens';
import type { VerifiedToken } from './jwt/verdict';

/** Portal tokens are the gateway's word to the gateway: which issuers a tenant trusts on its routes is nothing to them. */
const GATEWAY_ALONE = { providers: [], serviceTokens: true, sharedSecret: false };

/** Where records of issued tokens are, as they are stored now. */
export interface IssuedTokens {
  /** Undefined for one that was not issued here, or whose record cannot be read. Rejects while the store is away. */
  find(jti: string): Promise<ServiceTokenRecord | undefined>;
}

/** Whose portal a token opens. */
export interface PortalAccess {
  readonly tenantId: string;
  readonly tokenId: string;
}

/**
 * Service tokens that open the portal of their tenant: those that were issued for the service `portal`. A good signature is
 * not enough, for others may hold a secret of the gateway in order to sign what opens routes: the record of the token must be
 * there as well, and is read anew each time, so that a revocation counts at once.
 */
export class PortalTokens {
  private readonly own: OwnTokens;

  constructor(
    settings: Pick<GatewayConfig, 'serviceTokens'>,
    private readonly issued: IssuedTokens,
  ) {
    this.own = new OwnTokens(
      { gateway: gatewayKeys(settings), sharedSecret: undefined },
      GATEWAY_ALONE,
      Date.now,
    );
  }

  /** @throws GatewayError `invalid_jwt`, as a rejection. */
  async verify(text: string): Promise<PortalAccess> {
    checkTokenLength(text);
    const { token } = this.own.judge({ text, parts: parseCompactToken(text) });
    const { tokenId, project } = token;
    if (!isForPortal(token) || tokenId === undefined || project === undefined)
      throw invalidToken('the token is not for the portal');
    const record = await this.issued.find(tokenId);
    if (record?.project !== project || record.service !== PORTAL_SERVICE)
      throw invalidToken('the token was not issued for the portal');
    if (record.revoked) throw invalidToken('the token has been revoked');
    return { tenantId: project, tokenId };
  }
}

/** The other side of it: what opens the portal opens no route, whatever the route asks for. */
export function refusePortalToken(token: VerifiedToken): void {
  if (isForPortal(token)) throw invalidToken('the token is for the portal');
}

function isForPortal({ service }: VerifiedToken): boolean {
  return service === PORTAL_SERVICE;
}
