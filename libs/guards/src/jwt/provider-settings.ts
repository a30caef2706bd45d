import type { IdentityProvider, SecretSource } from '#libs/tenants';
import { CLOCK_TOLERANCE_MS, type Expectation } from './check-claims';
import { compileRequired, type RequiredClaims } from './claim-values';

const SECOND = 1000;

/** What a provider's tokens must say of themselves. Without an audience nothing is for it. */
export function expectationOf({
  issuer,
  audience = [],
  clockToleranceSeconds,
}: IdentityProvider): Expectation {
  const toleranceMs =
    clockToleranceSeconds === undefined ? CLOCK_TOLERANCE_MS : clockToleranceSeconds * SECOND;
  return { issuer, audiences: typeof audience === 'string' ? [audience] : audience, toleranceMs };
}

export function requiredBy({ requiredClaims }: IdentityProvider): RequiredClaims {
  return compileRequired(requiredClaims);
}

/** The secrets that documents name, by their variables. */
export type NamedSecrets = ReadonlyMap<string, string>;

/** The secret itself; undefined if the environment does not have it. */
export function secretOf(source: SecretSource, named: NamedSecrets): string | undefined {
  return typeof source === 'string' ? source : named.get(source.env);
}
