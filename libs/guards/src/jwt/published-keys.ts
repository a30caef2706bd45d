import { compactVerify } from 'jose';
import { TOKEN_ALGORITHMS, type IdentityProvider } from '#libs/tenants';
import { checkClaims, type Expectation } from './check-claims';
import { checkRequired, type RequiredClaims } from './claim-values';
import { noKeyNamed, type CompactToken } from './compact-token';
import { invalidToken } from './invalid-token';
import type { JwksSource } from './jwks-source';
import type { JwksSources } from './jwks-sources';
import { suitableKey, type VerificationKey } from './key-set';
import { expectationOf, requiredBy } from './provider-settings';
import { foreignToken, type PresentedToken, type TokenIssuer, type Verdict } from './verdict';

/** A verdict rests on a key, and the key on its source. */
class Basis {
  constructor(
    readonly key: VerificationKey,
    readonly source: JwksSource,
  ) {}
}

/** An identity provider that publishes its keys, at an address of its own or one that it names itself. */
export class PublishedKeys implements TokenIssuer {
  private readonly algorithms: readonly string[];
  private readonly expectation: Expectation;
  private readonly required: RequiredClaims;

  constructor(
    private readonly idp: IdentityProvider,
    private readonly sources: JwksSources,
    private readonly now: () => number,
  ) {
    // The list of what is known bounds the list of what is configured, whoever wrote that.
    this.algorithms = TOKEN_ALGORITHMS.filter((alg) => idp.algorithms?.includes(alg) ?? true);
    this.expectation = expectationOf(idp);
    this.required = requiredBy(idp);
  }

  standsBy({ basis }: Verdict, now: number): boolean {
    if (!(basis instanceof Basis)) return false;
    return basis.source === this.sources.of(this.idp) && basis.source.vouchesFor(basis.key, now);
  }

  judge({ text, parts }: PresentedToken): Promise<Verdict> {
    if (parts === undefined) throw invalidToken('the token does not have three parts');
    // Before any key is looked for: `none` and shared-secret algorithms never get near one (RFC 8725 §3.1).
    if (!this.algorithms.includes(parts.alg)) throw invalidToken('the algorithm is not accepted');
    // Before the signature: what could not pass anyway must cost the identity provider no fetch.
    checkClaims(parts.claims, this.expectation, this.now());
    checkRequired(parts.claims, this.required);
    if (parts.kid === undefined) throw noKeyNamed();
    return this.verify(text, parts, parts.kid);
  }

  private async verify(text: string, { alg, claims }: CompactToken, kid: string): Promise<Verdict> {
    const source = this.sources.of(this.idp);
    const keys = source.known(kid) ?? (await source.keysFor(kid));
    if (keys.length === 0) throw invalidToken('the token is signed by an unknown key');
    const key = suitableKey(keys, alg);
    if (key === undefined) throw invalidToken('the key is not for this algorithm');
    try {
      await compactVerify(text, key.key, { algorithms: [alg] });
    } catch (error) {
      throw invalidToken('the signature does not match', error);
    }
    // Again, because a fetch may have taken seconds.
    const checked = checkClaims(claims, this.expectation, this.now());
    const token = foreignToken(this.idp.issuer, checked, claims, kid);
    return { token, by: this, until: token.expiresAt, basis: new Basis(key, source), size: text.length };
  }
}
