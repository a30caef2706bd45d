import type { IdentityProvider, TokenTrust } from '#libs/tenants';
import { otherIssuer } from './check-claims';
import type { CompactToken } from './compact-token';
import type { OwnTokens } from './own-tokens';
import type { TokenIssuer } from './verdict';

/** Everybody whose tokens a tenant accepts, compiled. Tenants with equal settings share one. */
export class TrustedIssuers {
  /** Who is asked about tokens that are no JWT; undefined where nobody can be. */
  readonly opaque: TokenIssuer | undefined;
  /** Whether there is anybody at all who could have signed a token. */
  readonly any: boolean;
  private readonly providers = new Map<string, TokenIssuer>();

  /**
   * @param suffix goes behind the digest of a token, so that no tenant is answered with the verdict of other settings.
   * @param own of those who name no issuer, as far as the tenant trusts them.
   */
  constructor(
    readonly suffix: string,
    trust: TokenTrust,
    compile: (idp: IdentityProvider) => TokenIssuer,
    private readonly own: OwnTokens | undefined,
  ) {
    for (const idp of trust.providers) {
      const issuer = compile(idp);
      this.providers.set(idp.issuer, issuer);
      if (idp.introspection !== undefined) this.opaque = issuer;
    }
    this.any = this.providers.size > 0 || (own?.hasKeys ?? false);
  }

  /**
   * The one whose token this claims to be: its `iss` decides, and nothing else is tried.
   * @throws GatewayError `invalid_jwt` if the tenant knows no such issuer.
   */
  of({ claims }: CompactToken): TokenIssuer {
    const named = 'iss' in claims;
    const issuer = named ? this.providers.get(claims.iss as string) : this.own;
    if (issuer === undefined) throw otherIssuer();
    return issuer;
  }
}
