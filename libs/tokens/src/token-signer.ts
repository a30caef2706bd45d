import { createPublicKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { GatewayConfig } from '#libs/config';
import { GatewayError } from '#libs/errors';
import { thumbprint } from './gateway-keys';
import { secretKeyId } from './secret-key-id';
import type { ServiceTokenClaims } from './service-token';

interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly key: KeyObject | Buffer;
}

/** Signs service tokens: with the private key where there is one, else with the secret. */
export class TokenSigner {
  private readonly signing: SigningKey | undefined;

  constructor({ serviceTokens }: Pick<GatewayConfig, 'serviceTokens'>) {
    const { signingKey, secret } = serviceTokens;
    if (signingKey) this.signing = { ...signingKey, kid: thumbprint(createPublicKey(signingKey.key)) };
    else if (secret !== undefined) this.signing = withSecret(Buffer.from(secret));
  }

  /** @throws GatewayError signing_not_configured */
  requireKey(): void {
    this.required();
  }

  /**
   * The token in compact form, with these claims and no other.
   * @throws GatewayError signing_not_configured
   */
  async sign({ jti, project, service, iat, exp }: ServiceTokenClaims): Promise<string> {
    const { alg, kid, key } = this.required();
    return new SignJWT({ jti, project, service, iat, exp })
      .setProtectedHeader({ alg, typ: 'JWT', kid })
      .sign(key);
  }

  private required(): SigningKey {
    if (this.signing) return this.signing;
    const detail = 'set GATEWAY_JWT_SECRET or GATEWAY_JWT_PRIVATE_KEY_FILE';
    throw new GatewayError('signing_not_configured', detail);
  }
}

function withSecret(key: Buffer): SigningKey {
  return { alg: 'HS256', kid: secretKeyId(key), key };
}
