import { GATEWAY_ISSUER, SHARED_SECRET_ISSUER, TOKEN_ALGORITHMS, type TokenTrust } from '#libs/tenants';
import { isTokenId, type GatewayKeys } from '#libs/tokens';
import { CLOCK_TOLERANCE_MS, checkValidity, otherAudience, otherIssuer, type Claims } from './check-claims';
import { noKeyNamed, type CompactToken } from './compact-token';
import { invalidToken } from './invalid-token';
import { secretKey, signerAmong, type SecretKey } from './secret-keys';
import { isSignedBy } from './signature';
import type { PresentedToken, TokenIssuer, Verdict, VerifiedToken } from './verdict';

/** Says which service tokens were taken back. */
export interface RevocationDirectory {
  /**
   * True if the token was revoked; synchronous when that is known, which is nearly always.
   * @throws GatewayError `store_unavailable` when it cannot be said. Also as a rejection.
   */
  check(jti: string): boolean | Promise<boolean>;
}

/** Everything about tokens that are not of an identity provider. */
export interface OwnKeys {
  readonly gateway: GatewayKeys;
  /** JWT_SECRET_KEY. */
  readonly sharedSecret: Buffer | undefined;
  readonly revocations: RevocationDirectory;
}

const ALGORITHM = 'HS256';
const MAX_NAME_LENGTH = 200;

/**
 * Tokens without an issuer: service tokens that the gateway signs itself, and tokens of whoever holds JWT_SECRET_KEY. The
 * key that fits says which of the two a token is, never the token; no secret may be both.
 */
export class OwnTokens implements TokenIssuer {
  private readonly secrets: readonly SecretKey[];
  private readonly shared: SecretKey | undefined;
  private readonly publicKeys: GatewayKeys['publicKeys'];

  constructor(
    { gateway, sharedSecret }: Pick<OwnKeys, 'gateway' | 'sharedSecret'>,
    trust: TokenTrust,
    private readonly now: () => number,
  ) {
    this.secrets = trust.serviceTokens ? gateway.secrets.map(secretKey) : [];
    this.publicKeys = trust.serviceTokens
      ? gateway.publicKeys.filter(({ alg }) => TOKEN_ALGORITHMS.includes(alg))
      : [];
    this.shared = trust.sharedSecret && sharedSecret ? secretKey(sharedSecret) : undefined;
  }

  /** Whether there is a key at all that a token could be signed with. */
  get hasKeys(): boolean {
    return this.secrets.length > 0 || this.publicKeys.length > 0 || this.shared !== undefined;
  }

  /** Keys change with the process only; revocations are asked about at every request. */
  standsBy(): boolean {
    return true;
  }

  judge({ text, parts }: PresentedToken): Verdict {
    if (parts === undefined) throw invalidToken('the token does not have three parts');
    const { claims } = parts;
    if ('iss' in claims) throw otherIssuer();
    // Whoever names an audience means somebody, and the gateway has no such name (RFC 7519 §4.1.3).
    if ('aud' in claims) throw otherAudience();
    if (parts.alg !== ALGORITHM) return this.verifyByKey(text, parts);
    const signer = this.signerOf(parts);
    const token =
      signer === this.shared ? this.sharedToken(claims, signer.kid) : this.serviceToken(claims, signer.kid);
    return { token, by: this, until: token.expiresAt, size: text.length };
  }

  private signerOf(parts: CompactToken): SecretKey {
    const { kid } = parts;
    const all = this.shared === undefined ? this.secrets : [...this.secrets, this.shared];
    if (all.length === 0) throw invalidToken('the algorithm is not accepted');
    const meant = kid === undefined ? all : all.filter((secret) => secret.kid === kid);
    if (meant.length === 0) throw invalidToken('the token is signed by an unknown key');
    const signer = signerAmong(parts, meant);
    if (signer === undefined) throw invalidToken('the signature does not match');
    return signer;
  }

  private verifyByKey(text: string, parts: CompactToken): Verdict {
    const { alg, kid, claims } = parts;
    if (!this.publicKeys.some((key) => key.alg === alg)) throw invalidToken('the algorithm is not accepted');
    if (kid === undefined) throw noKeyNamed();
    const found = this.publicKeys.find((key) => key.kid === kid && key.alg === alg);
    if (found === undefined) throw invalidToken('the token is signed by an unknown key');
    if (!isSignedBy(found.key, parts)) throw invalidToken('the signature does not match');
    const token = this.serviceToken(claims, kid);
    return { token, by: this, until: token.expiresAt, size: text.length };
  }

  private serviceToken(claims: Claims, keyId: string): VerifiedToken {
    const { subject, expiresAt } = checkValidity(claims, CLOCK_TOLERANCE_MS, this.now());
    const { jti } = claims;
    if (!isTokenId(jti)) throw invalidToken('the token has no id');
    const project = nameIn(claims, 'project');
    const service = nameIn(claims, 'service');
    return { subject, issuer: GATEWAY_ISSUER, expiresAt, claims, keyId, tokenId: jti, project, service };
  }

  private sharedToken(claims: Claims, keyId: string): VerifiedToken {
    const { subject, expiresAt } = checkValidity(claims, CLOCK_TOLERANCE_MS, this.now());
    const own = { tokenId: undefined, project: undefined, service: undefined };
    return { subject, issuer: SHARED_SECRET_ISSUER, expiresAt, claims, keyId, ...own };
  }
}

function nameIn(claims: Claims, claim: 'project' | 'service'): string {
  const value = claims[claim];
  if (typeof value !== 'string' || value === '' || value.length > MAX_NAME_LENGTH)
    throw invalidToken(`the token names no ${claim}`);
  return value;
}
