import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { GatewayError } from '#libs/errors';
import type { Logger } from '#libs/logging';
import type { AddressPolicy, IdentityProvider, TokenTrust } from '#libs/tenants';
import { expired } from './check-claims';
import { checkTokenLength, isOpaque, parseCompactToken } from './compact-token';
import { IntrospectedTokens } from './introspection';
import { IntrospectionEndpoint } from './introspection-endpoint';
import { invalidToken } from './invalid-token';
import { JwksEndpoint } from './jwks-endpoint';
import { JwksSources } from './jwks-sources';
import { OwnTokens, type OwnKeys } from './own-tokens';
import type { NamedSecrets } from './provider-settings';
import { PublishedKeys } from './published-keys';
import { SharedSecrets } from './shared-secrets';
import { TrustedIssuers } from './trusted-issuers';
import type { TokenIssuer, VerifiedToken, Verdict } from './verdict';

export interface TokenVerifierOptions {
  logger: Pick<Logger, 'info' | 'warn'>;
  /** Where key sets and introspection endpoints may be. */
  addresses: AddressPolicy;
  /** Keys of tokens that name no issuer; absent: none of these is accepted. */
  own?: OwnKeys;
  /** Secrets that documents name by their variables. */
  named?: NamedSecrets;
  now?: () => number;
  /** Verdicts kept. */
  maxCached?: number;
  /** Distinct places of key sets, and distinct settings, kept. */
  maxSources?: number;
  /** Time-out of one question to an identity provider. */
  fetchTimeoutMs?: number;
}

const DEFAULT_MAX_CACHED = 20_000;
/** The parsed claims take memory in proportion to their token; a usual token is below 1 KiB. */
const CACHED_LENGTH_PER_TOKEN = 1024;
const DEFAULT_MAX_SOURCES = 10_000;
const NO_SECRETS: NamedSecrets = new Map();

/**
 * Decides whether a bearer token is one of those that a tenant trusts (RFC 7519 §7.2, RFC 8725).
 * The token chooses nothing but its issuer, among those of the tenant, and the key of that issuer: algorithms, audience and
 * where keys come from are the tenant's word.
 */
export class TokenVerifier {
  private readonly now: () => number;
  private readonly endpoint: JwksEndpoint;
  private readonly introspection: IntrospectionEndpoint;
  private readonly sources: JwksSources;
  private readonly verdicts: LRUCache<string, Verdict>;
  private readonly trusts: LRUCache<string, TrustedIssuers>;
  /** Spares the look-up by settings: the object lives as long as the tenant's compiled configuration. */
  private readonly issuersOf = new WeakMap<TokenTrust, TrustedIssuers>();
  private readonly verifying = new Map<string, Promise<VerifiedToken>>();
  private trustCount = 0;

  constructor(private readonly options: TokenVerifierOptions) {
    const { maxCached = DEFAULT_MAX_CACHED, maxSources = DEFAULT_MAX_SOURCES, now = Date.now } = options;
    const { addresses, logger, fetchTimeoutMs } = options;
    this.now = now;
    this.endpoint = new JwksEndpoint(addresses, fetchTimeoutMs);
    this.introspection = new IntrospectionEndpoint(addresses, fetchTimeoutMs);
    this.sources = new JwksSources({ endpoint: this.endpoint, logger, now, max: maxSources });
    this.trusts = new LRUCache({ max: maxSources });
    this.verdicts = new LRUCache({ max: maxCached, maxSize: maxCached * CACHED_LENGTH_PER_TOKEN });
  }

  /**
   * Verifies `token`; at once if it was verified before. A good verdict holds until the token expires, its key is withdrawn or
   * the token itself is revoked.
   * @throws GatewayError `invalid_jwt`, `jwks_unavailable` when it cannot be verified now, `store_unavailable` when it cannot be
   *   said whether it was revoked, `tenant_misconfigured` when nobody could have signed it. Also as a rejection.
   */
  verify(token: string, trust: TokenTrust): VerifiedToken | Promise<VerifiedToken> {
    checkTokenLength(token);
    const issuers = this.issuersOf.get(trust) ?? this.compiled(trust);
    const id = hash('sha256', token, 'base64') + issuers.suffix;
    const known = this.verdicts.get(id);
    if (known !== undefined) {
      const now = this.now();
      if (known.token.expiresAt <= now) throw this.expire(id);
      if (now < known.until && known.by.standsBy(known, now)) return this.unlessRevoked(known.token);
    }
    const verified = this.verifying.get(id) ?? this.verifyOnce(id, token, issuers);
    if (verified instanceof Promise) return verified.then((found) => this.unlessRevoked(found));
    return this.unlessRevoked(verified);
  }

  /** @throws GatewayError `tenant_misconfigured` if there is nobody whose token could be accepted. */
  requireIssuer(trust: TokenTrust): void {
    const issuers = this.issuersOf.get(trust) ?? this.compiled(trust);
    if (!issuers.any) throw new GatewayError('tenant_misconfigured');
  }

  /** How old the key sets in use are, by issuer, in milliseconds. */
  keySetAges(): Array<{ issuer: string; ageMs: number }> {
    return this.sources.ages();
  }

  /** Breaks off fetches that are under way. */
  async close(): Promise<void> {
    await Promise.all([this.endpoint.close(), this.introspection.close()]);
  }

  private unlessRevoked(token: VerifiedToken): VerifiedToken | Promise<VerifiedToken> {
    if (token.tokenId === undefined) return token;
    const revoked = this.options.own?.revocations.check(token.tokenId) ?? true;
    return revoked instanceof Promise
      ? revoked.then((said) => unrevoked(token, said))
      : unrevoked(token, revoked);
  }

  private verifyOnce(
    id: string,
    text: string,
    issuers: TrustedIssuers,
  ): VerifiedToken | Promise<VerifiedToken> {
    const verdict = judge(text, issuers);
    if (!(verdict instanceof Promise)) return this.keep(id, verdict);
    const verifying = verdict.then((found) => this.keep(id, found));
    this.verifying.set(id, verifying);
    const done = (): void => void this.verifying.delete(id);
    verifying.then(done, done);
    return verifying;
  }

  private keep(id: string, verdict: Verdict): VerifiedToken {
    this.verdicts.set(id, verdict, { size: verdict.size });
    return verdict.token;
  }

  private expire(id: string): Error {
    this.verdicts.delete(id);
    return expired();
  }

  private compiled(trust: TokenTrust): TrustedIssuers {
    const settings = JSON.stringify(trust);
    let issuers = this.trusts.get(settings);
    if (issuers === undefined) {
      const { own } = this.options;
      issuers = new TrustedIssuers(
        `.${this.trustCount++}`,
        trust,
        (idp) => this.issuer(idp),
        own && (trust.serviceTokens || trust.sharedSecret) ? new OwnTokens(own, trust, this.now) : undefined,
      );
      this.trusts.set(settings, issuers);
    }
    this.issuersOf.set(trust, issuers);
    return issuers;
  }

  private issuer(idp: IdentityProvider): TokenIssuer {
    const { logger, named = NO_SECRETS } = this.options;
    const { introspection } = idp;
    if (idp.secrets !== undefined) return new SharedSecrets(idp, named, this.now);
    if (introspection === undefined) return new PublishedKeys(idp, this.sources, this.now);
    const endpoint = this.introspection;
    return new IntrospectedTokens({ ...idp, introspection }, { endpoint, logger, named, now: this.now });
  }
}

function judge(text: string, issuers: TrustedIssuers): Verdict | Promise<Verdict> {
  if (issuers.opaque !== undefined && isOpaque(text)) return issuers.opaque.judge({ text, parts: undefined });
  if (!issuers.any) throw new GatewayError('tenant_misconfigured');
  const parts = parseCompactToken(text);
  return issuers.of(parts).judge({ text, parts });
}

function unrevoked(token: VerifiedToken, revoked: boolean): VerifiedToken {
  if (revoked) throw invalidToken('the token has been revoked');
  return token;
}
