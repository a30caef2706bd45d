/** A secret in a document: the text itself, or the name of the gateway's environment variable that holds it. */
export type SecretSource = string | { env: string };

/** Where opaque tokens are asked about (RFC 7662), and as whom. */
export interface Introspection {
  endpoint: string;
  clientId: string;
  clientSecret: SecretSource;
}

/**
 * Who issues tokens of a tenant. Where the keys come from is one of `jwksUri`, `secrets` and `introspection`; with none of
 * them, from the issuer's own configuration document (OpenID Connect Discovery 1.0 §4).
 */
export interface IdentityProvider {
  issuer: string;
  /** One of these must be among the token's. Absent only with `introspection`, whose endpoint answers for its client. */
  audience?: string | string[];
  jwksUri?: string;
  /** Shared secrets for HMAC; several while they are being changed. */
  secrets?: SecretSource[];
  introspection?: Introspection;
  /** Signature algorithms accepted; absent: all that Gatehouse knows for this kind of keys. */
  algorithms?: string[];
  /** How far ahead of ours the issuer's clock may be; absent: 5. An expiry gets no benefit of the doubt. */
  clockToleranceSeconds?: number;
  /** As `claims` of a policy, for every token of this issuer. */
  requiredClaims?: Record<string, string[]>;
}

/** Only asymmetric: a shared secret must never be compared against a published key (RFC 8725 §2.1). */
// prettier-ignore
export const TOKEN_ALGORITHMS = [
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519',
];
/** With the least length of their secrets in bytes (RFC 7518 §3.2). */
export const SECRET_ALGORITHMS: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };

/** Names of the issuers that are no identity provider: the gateway itself, and whoever holds JWT_SECRET_KEY. */
export const GATEWAY_ISSUER = 'gateway';
export const SHARED_SECRET_ISSUER = 'shared-secret';

/** Whose tokens a tenant accepts. Tenants with equal settings share one object. */
export interface TokenTrust {
  /** By issuers that differ. */
  readonly providers: readonly IdentityProvider[];
  /** Those that the gateway signs itself. */
  readonly serviceTokens: boolean;
  /** Those signed with JWT_SECRET_KEY. */
  readonly sharedSecret: boolean;
}

/** The settings of a tenant that say whose tokens it accepts. */
export interface TrustSettings {
  idp?: IdentityProvider;
  idps?: IdentityProvider[];
  serviceTokens?: boolean;
}

/** Fail closed: whoever names identity providers did not mean to accept anybody else, unless he says so. */
export function trustOf({ idp, idps = [], serviceTokens }: TrustSettings): TokenTrust {
  const providers = idp === undefined ? idps : [idp, ...idps];
  const alone = providers.length === 0;
  return { providers, serviceTokens: serviceTokens ?? alone, sharedSecret: alone };
}

/**
 * The issuers whose tokens a tenant's places may ask for; none where nobody could sign one.
 * @param ownTokens whether the gateway has keys of its own for the tokens of tenants without an identity provider.
 */
export function usableIssuers(settings: TrustSettings, ownTokens: boolean): string[] {
  const trust = trustOf(settings);
  return trust.providers.length > 0 || ownTokens ? issuersOf(trust) : [];
}

/** The names that a policy's `issuers` may choose from. */
export function issuersOf({ providers, serviceTokens, sharedSecret }: TokenTrust): string[] {
  return [
    ...providers.map(({ issuer }) => issuer),
    ...(serviceTokens ? [GATEWAY_ISSUER] : []),
    ...(sharedSecret ? [SHARED_SECRET_ISSUER] : []),
  ];
}
