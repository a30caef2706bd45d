import { GatewayError } from '#libs/errors';
import { SECRET_ALGORITHMS, type IdentityProvider } from '#libs/tenants';
import { checkClaims, type Expectation } from './check-claims';
import { checkRequired, type RequiredClaims } from './claim-values';
import { invalidToken } from './invalid-token';
import { expectationOf, requiredBy, secretOf, type NamedSecrets } from './provider-settings';
import { fits, secretKey, signerAmong, type SecretKey } from './secret-keys';
import { foreignToken, type PresentedToken, type TokenIssuer, type Verdict } from './verdict';

const MIN_BYTES = 32;

/** An identity provider that signs with secrets which it shares with its tenant. */
export class SharedSecrets implements TokenIssuer {
  private readonly secrets: readonly SecretKey[];
  /** A secret that the document names is not in the environment, or is too short to be one. */
  private readonly incomplete: boolean;
  private readonly algorithms: readonly string[];
  private readonly expectation: Expectation;
  private readonly required: RequiredClaims;

  constructor(
    private readonly idp: IdentityProvider,
    named: NamedSecrets,
    private readonly now: () => number,
  ) {
    const { secrets: sources = [] } = idp;
    const found = sources.map((source) => Buffer.from(secretOf(source, named) ?? ''));
    this.secrets = found.filter(({ length }) => length >= MIN_BYTES).map(secretKey);
    this.incomplete = this.secrets.length < sources.length;
    this.algorithms = Object.keys(SECRET_ALGORITHMS).filter((alg) => idp.algorithms?.includes(alg) ?? true);
    this.expectation = expectationOf(idp);
    this.required = requiredBy(idp);
  }

  /** Secrets change with the tenant's settings only, and then somebody else judges. */
  standsBy(): boolean {
    return true;
  }

  judge({ text, parts }: PresentedToken): Verdict {
    if (parts === undefined) throw invalidToken('the token does not have three parts');
    if (!this.algorithms.includes(parts.alg)) throw invalidToken('the algorithm is not accepted');
    const { claims } = parts;
    const checked = checkClaims(claims, this.expectation, this.now());
    checkRequired(claims, this.required);
    const suitable = this.secrets.filter((secret) => fits(secret, parts.alg));
    // Issuers name their secrets as they like; a name that is a digest of one of them can only mean that one.
    const meant = suitable.filter(({ kid }) => kid === parts.kid);
    const signer = signerAmong(parts, meant.length > 0 ? meant : suitable);
    if (signer === undefined) {
      if (this.incomplete)
        throw new GatewayError('tenant_misconfigured', 'a secret of the identity provider is missing');
      throw invalidToken('the signature does not match');
    }
    const token = foreignToken(this.idp.issuer, checked, claims, signer.kid);
    return { token, by: this, until: token.expiresAt, size: text.length };
  }
}
