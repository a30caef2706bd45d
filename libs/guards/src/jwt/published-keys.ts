import { TOKEN_ALGORITHMS, type IdentityProvider } from '#libs/tenants';
import { checkClaims, type CheckedClaims, type Expectation } from './check-claims';
import { checkRequired, type RequiredClaims } from './claim-values';
import { noKeyNamed, type CompactToken } from './compact-token';
import { invalidToken } from './invalid-token';
import type { JwksSource } from './jwks-source';
import type { JwksSources } from './jwks-sources';
import { suitableKey, type VerificationKey } from './key-set';
import { expectationOf, requiredBy } from './provider-settings';
import { isSignedBy } from './signature';
import { foreignToken, type PresentedToken, type TokenIssuer, type Verdict } from './verdict';

/** A verdict rests on a key, and the key on its source. */
class Basis {
  constructor(
    readonly key: VerificationKey,
    readonly source: JwksSource,
  ) {}
}

/** The keys of one name, and where they are from. */
interface Found {
  readonly kid: string;
  readonly keys: readonly VerificationKey[];
  readonly source: JwksSource;
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

  judge({ text, parts }: PresentedToken): Verdict | Promise<Verdict> {
    if (parts === undefined) throw invalidToken('the token does not have three parts');
    // Before any key is looked for: `none` and shared-secret algorithms never get near one (RFC 8725 §3.1).
    if (!this.algorithms.includes(parts.alg)) throw invalidToken('the algorithm is not accepted');
    // Before the signature: what could not pass anyway must cost the identity provider no fetch.
    const checked = checkClaims(parts.claims, this.expectation, this.now());
    checkRequired(parts.claims, this.required);
    const { kid } = parts;
    if (kid === undefined) throw noKeyNamed();
    const source = this.sources.of(this.idp);
    const known = source.known(kid);
    if (known !== undefined) return this.verdict(text, parts, checked, { kid, keys: known, source });
    return source.keysFor(kid).then((keys) => {
      // Again, because a fetch may have taken seconds.
      const still = checkClaims(parts.claims, this.expectation, this.now());
      return this.verdict(text, parts, still, { kid, keys, source });
    });
  }

  private verdict(text: string, parts: CompactToken, checked: CheckedClaims, found: Found): Verdict {
    const { kid, keys, source } = found;
    if (keys.length === 0) throw invalidToken('the token is signed by an unknown key');
    const key = suitableKey(keys, parts.alg);
    if (key === undefined) throw invalidToken('the key is not for this algorithm');
    if (!isSignedBy(key.key, parts)) throw invalidToken('the signature does not match');
    const token = foreignToken(this.idp.issuer, checked, parts.claims, kid);
    return { token, by: this, until: token.expiresAt, basis: new Basis(key, source), size: text.length };
  }
}
