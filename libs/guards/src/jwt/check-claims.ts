import { invalidToken } from './invalid-token';

export type Claims = Readonly<Record<string, unknown>>;

/** What a token must say to be for this tenant. */
export interface Expectation {
  readonly issuer: string;
  /** One of these. */
  readonly audiences: readonly string[];
  readonly toleranceMs: number;
}

/** What the gateway keeps of the claims. */
export interface CheckedClaims {
  readonly subject: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Clocks of issuer and gateway differ a little; only the start of validity gets the benefit of the doubt. */
export const CLOCK_TOLERANCE_MS = 5000;
/** The last time that `Date` knows: whatever lies behind it is no time. */
const LAST_SECOND = 8.64e12;

/**
 * Checks the registered claims (RFC 7519 §4.1). An expiry is required: a token without one could never be cached
 * with an end, nor lose its force.
 * @throws GatewayError `invalid_jwt`.
 */
export function checkClaims(
  claims: Claims,
  { issuer, audiences, toleranceMs }: Expectation,
  now: number,
): CheckedClaims {
  // Code point by code point, without any normalisation: RFC 7519 §2, StringOrURI.
  if (claims.iss !== issuer) throw otherIssuer();
  if (!isFor(claims.aud, audiences)) throw otherAudience();
  return checkValidity(claims, toleranceMs, now);
}

/**
 * Checks when a token is valid, and whom it is about.
 * @throws GatewayError `invalid_jwt`.
 */
export function checkValidity(claims: Claims, toleranceMs: number, now: number): CheckedClaims {
  const expiresAt = timeOf(claims.exp, 'exp');
  const notBefore = timeOf(claims.nbf, 'nbf');
  const issuedAt = timeOf(claims.iat, 'iat');
  if (expiresAt === undefined) throw invalidToken('the token has no expiry');
  if (expiresAt <= now) throw expired();
  if ((notBefore ?? 0) > now + toleranceMs) throw invalidToken('the token is not valid yet');
  if ((issuedAt ?? 0) > now + toleranceMs) throw invalidToken('the token is issued in the future');

  const subject = claims.sub;
  if (subject !== undefined && typeof subject !== 'string') throw invalidToken('the claim sub is not a text');
  return { subject, expiresAt };
}

/** Also said of tokens that were accepted before. */
export function expired(): Error {
  return invalidToken('the token has expired');
}

export function otherIssuer(): Error {
  return invalidToken('the token has another issuer');
}

export function otherAudience(): Error {
  return invalidToken('the token is for another audience');
}

/** RFC 7519 §4.1.3: one text or a list of texts. */
export function isFor(aud: unknown, audiences: readonly string[]): boolean {
  if (!Array.isArray(aud)) return typeof aud === 'string' && audiences.includes(aud);
  return aud.every((one) => typeof one === 'string') && aud.some((one: string) => audiences.includes(one));
}

function timeOf(seconds: unknown, claim: string): number | undefined {
  if (seconds === undefined) return undefined;
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= LAST_SECOND)) {
    throw invalidToken(`the claim ${claim} is not a time`);
  }
  return seconds * 1000;
}
