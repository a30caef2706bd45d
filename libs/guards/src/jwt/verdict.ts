import type { CompactToken } from './compact-token';
import type { Claims } from './check-claims';

/** What a token proved: who calls, by whose word, until when. */
export interface VerifiedToken {
  /** The claim `sub`. */
  readonly subject: string | undefined;
  /** `iss`; `gateway` or `shared-secret` for tokens that name none. */
  readonly issuer: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly claims: Claims;
  /** The `kid` of the key that signed it; undefined where the issuer was asked instead. */
  readonly keyId: string | undefined;
  /** `jti`, `project` and `service` of a token that the gateway signed itself; undefined for all others. */
  readonly tokenId: string | undefined;
  readonly project: string | undefined;
  readonly service: string | undefined;
}

/** A bearer token as it was presented. */
export interface PresentedToken {
  readonly text: string;
  /** Undefined for one that is no JWT. */
  readonly parts: CompactToken | undefined;
}

/** That a token is good, and what that rests on. */
export interface Verdict {
  readonly token: VerifiedToken;
  readonly by: TokenIssuer;
  /** When it must be reached anew, milliseconds since the epoch; at the latest with the token's expiry. */
  readonly until: number;
  /** The key and its source, where the issuer publishes keys. */
  readonly basis?: object;
  /** Rough memory it takes, in characters. */
  readonly size: number;
}

/** Whoever issues tokens, ready to judge those that are his. */
export interface TokenIssuer {
  /** @throws GatewayError `invalid_jwt`, `jwks_unavailable` or `tenant_misconfigured`. Also as a rejection. */
  judge(token: PresentedToken): Verdict | Promise<Verdict>;
  /** Whether a verdict of his still holds. Asked for every request, so it must cost next to nothing. */
  standsBy(verdict: Verdict, now: number): boolean;
}

/** The token of an identity provider. */
export function foreignToken(
  issuer: string,
  { subject, expiresAt }: { subject: string | undefined; expiresAt: number },
  claims: Claims,
  keyId: string | undefined,
): VerifiedToken {
  const own = { tokenId: undefined, project: undefined, service: undefined };
  return { subject, issuer, expiresAt, claims, keyId, ...own };
}
