import { hash } from 'node:crypto';
import { compactVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Logger } from '#libs/logging';
import { TOKEN_ALGORITHMS, type AddressPolicy, type IdentityProvider } from '#libs/tenants';
import { checkClaims, expired } from './check-claims';
import { checkTokenLength, parseCompactToken } from './compact-token';
import { invalidToken } from './invalid-token';
import { JwksEndpoint } from './jwks-endpoint';
import { JwksSource } from './jwks-source';
import { suitableKey, type VerificationKey } from './key-set';

/** What a token proved: who calls, by whose word, until when. */
export interface VerifiedToken {
  /** The claim `sub`. */
  readonly subject: string | undefined;
  readonly issuer: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly claims: Readonly<Record<string, unknown>>;
  /** The `kid` of the key that signed it. */
  readonly keyId: string;
}

export interface TokenVerifierOptions {
  logger: Pick<Logger, 'info' | 'warn'>;
  /** Where key sets may be fetched from. */
  addresses: AddressPolicy;
  now?: () => number;
  /** Verdicts kept. */
  maxCached?: number;
  /** Distinct JWKS URLs, and distinct settings, kept: some 10 KB each. More in use at a time are fetched over and over. */
  maxSources?: number;
  /** Time-out of one JWKS fetch. */
  fetchTimeoutMs?: number;
}

/** A verdict rests on a key, and the key on its source. */
interface Verdict {
  readonly token: VerifiedToken;
  readonly key: VerificationKey;
  readonly source: JwksSource;
}

/** The settings of an identity provider, compiled. Tenants with equal settings share one. */
interface Trust extends IdentityProvider {
  /** Goes behind the digest of a token, so that no tenant is answered with the verdict of other settings. */
  readonly suffix: string;
  readonly algorithms: string[];
}

const DEFAULT_MAX_CACHED = 20_000;
/** The parsed claims take memory in proportion to their token; a usual token is below 1 KiB. */
const CACHED_LENGTH_PER_TOKEN = 1024;
const DEFAULT_MAX_SOURCES = 10_000;

/**
 * Decides whether a bearer token is a valid JWT of a tenant's identity provider (RFC 7519 §7.2, RFC 8725).
 * The token chooses nothing but the key id: algorithms, issuer, audience and keys come from the tenant.
 */
export class TokenVerifier {
  private readonly now: () => number;
  private readonly endpoint: JwksEndpoint;
  private readonly verdicts: LRUCache<string, Verdict>;
  private readonly sources: LRUCache<string, JwksSource>;
  private readonly trusts: LRUCache<string, Trust>;
  /** Spares the look-up by settings: the object lives as long as the tenant's compiled configuration. */
  private readonly trustOf = new WeakMap<IdentityProvider, Trust>();
  private readonly verifying = new Map<string, Promise<VerifiedToken>>();
  private trustCount = 0;

  constructor(private readonly options: TokenVerifierOptions) {
    const { maxCached = DEFAULT_MAX_CACHED, maxSources = DEFAULT_MAX_SOURCES, now = Date.now } = options;
    this.now = now;
    this.endpoint = new JwksEndpoint(options.addresses, options.fetchTimeoutMs);
    this.sources = new LRUCache({ max: maxSources });
    this.trusts = new LRUCache({ max: maxSources });
    this.verdicts = new LRUCache({ max: maxCached, maxSize: maxCached * CACHED_LENGTH_PER_TOKEN });
  }

  /**
   * Verifies `token`; at once if it was verified before. A good verdict holds until the token expires or its key
   * is withdrawn.
   * @throws GatewayError `invalid_jwt`, or `jwks_unavailable` when the keys cannot be had. Also as a rejection.
   */
  verify(token: string, idp: IdentityProvider): VerifiedToken | Promise<VerifiedToken> {
    checkTokenLength(token);
    const trust = this.trustOf.get(idp) ?? this.trustIn(idp);
    const id = hash('sha256', token, 'base64') + trust.suffix;
    const source = this.sourceOf(idp.jwksUri);
    const known = this.verdicts.get(id);
    if (known !== undefined) {
      const now = this.now();
      if (known.token.expiresAt <= now) throw this.expire(id);
      if (known.source === source && source.vouchesFor(known.key, now)) return known.token;
    }
    return this.verifying.get(id) ?? this.verifyOnce(id, token, trust, source);
  }

  /** Breaks off fetches that are under way. */
  close(): Promise<void> {
    return this.endpoint.close();
  }

  private verifyOnce(id: string, token: string, trust: Trust, source: JwksSource): Promise<VerifiedToken> {
    const verdict = this.judge(token, trust, source);
    const verifying = verdict.then((verdict) => {
      this.verdicts.set(id, verdict, { size: token.length });
      return verdict.token;
    });
    this.verifying.set(id, verifying);
    const done = (): void => void this.verifying.delete(id);
    verifying.then(done, done);
    return verifying;
  }

  private async judge(token: string, trust: Trust, source: JwksSource): Promise<Verdict> {
    const { alg, kid, claims } = parseCompactToken(token);
    // Before any key is looked for: `none` and shared-secret algorithms never get near one (RFC 8725 §3.1).
    if (!trust.algorithms.includes(alg)) throw invalidToken('the algorithm is not accepted');
    // Before the signature: what could not pass anyway must cost the identity provider no fetch.
    checkClaims(claims, trust, this.now());

    const keys = await source.keysFor(kid);
    if (keys.length === 0) throw invalidToken('the token is signed by an unknown key');
    const key = suitableKey(keys, alg);
    if (key === undefined) throw invalidToken('the key is not for this algorithm');
    try {
      await compactVerify(token, key.key, { algorithms: [alg] });
    } catch (error) {
      throw invalidToken('the signature does not match', error);
    }
    // Again, because a fetch may have taken seconds.
    const checked = checkClaims(claims, trust, this.now());
    return { key, source, token: { ...checked, claims, keyId: kid } };
  }

  private expire(id: string): Error {
    this.verdicts.delete(id);
    return expired();
  }

  private sourceOf(url: string): JwksSource {
    let source = this.sources.get(url);
    if (source === undefined) {
      source = new JwksSource(url, { endpoint: this.endpoint, logger: this.options.logger, now: this.now });
      this.sources.set(url, source);
    }
    return source;
  }

  private trustIn(idp: IdentityProvider): Trust {
    const { issuer, jwksUri, audience } = idp;
    // The list of what is known bounds the list of what is configured, whoever wrote that.
    const algorithms = TOKEN_ALGORITHMS.filter((alg) => idp.algorithms?.includes(alg) ?? true);
    const settings = JSON.stringify([issuer, jwksUri, audience, algorithms]);
    let trust = this.trusts.get(settings);
    if (trust === undefined) {
      trust = { issuer, jwksUri, audience, algorithms, suffix: `.${this.trustCount++}` };
      this.trusts.set(settings, trust);
    }
    this.trustOf.set(idp, trust);
    return trust;
  }
}
