import type { Claims } from './check-claims';
import { invalidToken } from './invalid-token';

/** Accepted values by claim, as rules say it, ready to be compared. */
export type RequiredClaims = ReadonlyArray<readonly [claim: string, accepted: ReadonlySet<string>]>;

export function compileRequired(claims: Readonly<Record<string, string[]>> = {}): RequiredClaims {
  return Object.entries(claims).map(([claim, values]) => [claim, new Set(values)] as const);
}

/** The first claim that is missing or has no accepted value; a list has one if one of its items is. */
export function missingClaim(claims: Claims, required: RequiredClaims): string | undefined {
  const missing = required.find(([claim, accepted]) => {
    const value = claimOf(claims, claim);
    const values: unknown[] = Array.isArray(value) ? value : [value];
    return !values.some((one) => accepted.has(textOf(one) ?? ''));
  });
  return missing?.[0];
}

/** @throws GatewayError `invalid_jwt` without the name of the claim: its challenge has no place for every name. */
export function checkRequired(claims: Claims, required: RequiredClaims): void {
  if (required.length > 0 && missingClaim(claims, required) !== undefined)
    throw invalidToken('the token does not have a claim that its issuer must put there');
}

/** The claim itself, never what every object inherits. */
export function claimOf(claims: Claims, claim: string): unknown {
  return Object.hasOwn(claims, claim) ? claims[claim] : undefined;
}

/** A value as rules and headers write it: numbers and truth values as JSON does; undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
