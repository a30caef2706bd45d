import { upstreamAddress } from '#libs/config';
import { GatewayError, type FieldProblem } from '#libs/errors';
import type { AddressPolicy } from './address-policy';
import { isReservedHeader } from './reserved-headers';
import { routePath } from './route-path';

/** Where a check says what is wrong: a dotted path and the reason, both safe to show. */
export type Report = (field: string, message: string) => void;
export type Dictionary = Record<string, unknown>;

const METHOD = /^[A-Z][A-Z-]{0,19}$/;
/** The bucket's arithmetic is exact up to 2^53 (see token-bucket.ts). */
const MAX_BUCKET_UNITS = Number.MAX_SAFE_INTEGER;

export function isDictionary(value: unknown): value is Dictionary {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parsed JSON, or where it is none. */
export function parseJson(text: string): { document: unknown } | { problems: FieldProblem[] } {
  try {
    return { document: JSON.parse(text) };
  } catch (error) {
    // Node quotes the text around the fault, which is nobody's business; its place is enough.
    const place = /position \d+/.exec((error as Error).message)?.[0] ?? 'its end';
    return { problems: [{ field: '', message: `is not JSON: fault at ${place}` }] };
  }
}

/** Reports fields that nobody knows. */
export function checkKnown(document: Dictionary, known: readonly string[], report: Report): void {
  for (const field of Object.keys(document))
    if (!known.includes(field)) report(field, 'is not a known field');
}

export function checkText(value: unknown, field: string, maxLength: number, report: Report): void {
  if (typeof value !== 'string' || value.trim() === '' || value.length > maxLength) {
    report(field, `must be a text of 1 to ${maxLength} characters`);
  }
}

export function checkFlag(value: unknown, field: string, report: Report): void {
  if (typeof value !== 'boolean') report(field, 'must be true or false');
}

export function checkWhole(value: unknown, field: string, min: number, max: number, report: Report): boolean {
  const fits = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
  if (!fits) report(field, `must be a whole number from ${min} to ${max}`);
  return fits;
}

/** A policy that consists of whole numbers, none of which must be there. Fields that nobody knows are refused. */
export function checkWholes(
  policy: Dictionary,
  field: string,
  ranges: Readonly<Record<string, readonly [min: number, max: number]>>,
  report: Report,
): void {
  const inner: Report = (name, message) => report(`${field}.${name}`, message);
  checkKnown(policy, Object.keys(ranges), inner);
  for (const [name, [min, max]] of Object.entries(ranges))
    if (policy[name] !== undefined) checkWhole(policy[name], name, min, max, inner);
}

/**
 * The URL of an upstream, under which paths are asked for; of something else with paths below it; or of a thing that is
 * fetched as it is. Upstreams only may say how they are spoken to.
 */
export function checkUrl(
  value: unknown,
  field: string,
  purpose: 'upstream' | 'base' | 'document',
  addresses: AddressPolicy | undefined,
  report: Report,
): void {
  const address = typeof value === 'string' ? upstreamAddress(value) : undefined;
  const schemes = purpose === 'upstream' ? 'http, https, h2c or h2' : 'http or https';
  if (!address || (address.http2 && purpose !== 'upstream'))
    return report(field, `must be an ${schemes} URL`);
  const { url } = address;
  if (url.username || url.password) report(field, 'must not carry a user or password');
  else if (url.hash || (url.search && purpose !== 'document'))
    report(field, 'must not have a query or fragment');
  const objection = addresses?.objectionToHost(url.hostname);
  if (objection) report(field, objection);
}

/** @returns the path as it is compared, if it is one. */
export function checkRoutePath(path: unknown, field: string, report: Report): string | undefined {
  if (typeof path !== 'string') {
    report(field, 'must be a text');
    return undefined;
  }
  if (/[*?]|\/:/.test(path.replace(/\/\*$/, ''))) {
    report(
      field,
      'must be a plain path, which includes everything below it: no wildcards, parameters or query',
    );
    return undefined;
  }
  try {
    return routePath(path);
  } catch (error) {
    report(field, error instanceof GatewayError ? (error.publicDetail ?? error.message) : 'is not a path');
    return undefined;
  }
}

export function checkMethods(methods: unknown, field: string, report: Report): void {
  if (!Array.isArray(methods) || methods.length === 0 || !methods.every(isMethod)) {
    report(field, 'must be a list of methods in upper case');
  }
}

function isMethod(value: unknown): boolean {
  return typeof value === 'string' && METHOD.test(value);
}

const POLICY_FIELDS = ['jwt', 'issuers', 'claims', 'scopes', 'roles', 'claimHeaders'];
const MAX_POLICY_ENTRIES = 100;
const MAX_VALUE_LENGTH = 2048;
/** RFC 6749 §3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;
/** Without underscores and dots: servers that read `_` as `-` could not tell two such headers apart. */
const CLAIM_HEADER = /^[A-Za-z][A-Za-z0-9-]{0,99}$/;

/**
 * What a route or service asks of tokens. Fields nobody knows are refused, in stored documents too: a policy that was
 * misspelt, or that only a newer version knows, would otherwise ask for nothing.
 */
export function checkAuth(auth: unknown, field: string, report: Report): void {
  if (auth === undefined) return;
  if (!checkJwtFlag(auth, field, report)) return;
  const inner: Report = (name, message) => report(`${field}.${name}`, message);
  checkKnown(auth, POLICY_FIELDS, inner);
  const { issuers, claims, scopes, roles, claimHeaders } = auth;
  if (issuers !== undefined) checkTexts(issuers, 'issuers', inner);
  if (claims !== undefined) checkClaimValues(claims, 'claims', inner);
  if (scopes !== undefined && checkTexts(scopes, 'scopes', inner) && !scopes.every((one) => SCOPE.test(one)))
    inner('scopes', 'must be a list of scopes (RFC 6749 §3.3)');
  if (roles !== undefined) checkTexts(roles, 'roles', inner);
  if (claimHeaders !== undefined) checkClaimHeaders(claimHeaders, 'claimHeaders', inner);
}

/** What a tenant says about tokens for routes that say nothing: only whether they need one. */
export function checkTenantAuth(auth: unknown, field: string, report: Report): void {
  if (auth === undefined || !checkJwtFlag(auth, field, report)) return;
  const policy = Object.keys(auth).filter((name) => POLICY_FIELDS.includes(name) && name !== 'jwt');
  for (const name of policy) report(`${field}.${name}`, 'is said by each route');
}

function checkJwtFlag(auth: unknown, field: string, report: Report): auth is Dictionary {
  const fits = isDictionary(auth) && typeof auth.jwt === 'boolean';
  if (!fits) report(`${field}.jwt`, 'must be true or false');
  return fits;
}

/** Accepted values by the name of a claim. */
export function checkClaimValues(claims: unknown, field: string, report: Report): void {
  if (!isDictionary(claims) || Object.keys(claims).length > MAX_POLICY_ENTRIES)
    return report(field, `must be an object of up to ${MAX_POLICY_ENTRIES} lists of accepted values`);
  for (const [claim, values] of Object.entries(claims)) {
    if (claim === '' || claim.length > MAX_VALUE_LENGTH) report(field, 'has a claim without a proper name');
    else checkTexts(values, `${field}.${claim}`, report);
  }
}

/** An empty list is refused: it could mean that nothing or that everything is accepted. */
export function checkTexts(value: unknown, field: string, report: Report): value is string[] {
  const isText = (one: unknown): boolean =>
    typeof one === 'string' && one !== '' && one.length <= MAX_VALUE_LENGTH;
  const fits =
    Array.isArray(value) && value.length > 0 && value.length <= MAX_POLICY_ENTRIES && value.every(isText);
  if (!fits) report(field, `must be a list of 1 to ${MAX_POLICY_ENTRIES} texts`);
  return fits;
}

function checkClaimHeaders(headers: unknown, field: string, report: Report): void {
  if (!isDictionary(headers) || Object.keys(headers).length > MAX_POLICY_ENTRIES)
    return report(field, `must be an object of up to ${MAX_POLICY_ENTRIES} claims by header`);
  const seen = new Set<string>();
  for (const [name, claim] of Object.entries(headers)) {
    const place = `${field}.${name}`;
    if (!CLAIM_HEADER.test(name)) report(place, 'must be named by letters, digits and dashes');
    else if (isReservedHeader(name)) report(place, 'is not for policies to set');
    else if (seen.has(name.toLowerCase())) report(place, 'is given twice');
    else checkText(claim, place, MAX_VALUE_LENGTH, report);
    seen.add(name.toLowerCase());
  }
}

export function checkRateLimit(limit: unknown, field: string, report: Report): void {
  if (!isDictionary(limit)) return report(field, 'must be an object');
  const { windowSeconds, maxRequests } = limit;
  const windowFits = checkWhole(windowSeconds, `${field}.windowSeconds`, 1, 31 * 86_400, report);
  const countFits = checkWhole(maxRequests, `${field}.maxRequests`, 1, 1_000_000_000, report);
  if (windowFits && countFits && Number(windowSeconds) * 1000 * Number(maxRequests) > MAX_BUCKET_UNITS) {
    report(field, 'is too large: windowSeconds × maxRequests must stay below 9.007e12');
  }
}

export function checkTimeouts(timeouts: unknown, report: Report): void {
  if (!isDictionary(timeouts)) return report('timeouts', 'must be an object');
  for (const name of ['connectMs', 'firstByteMs', 'idleMs', 'totalMs']) {
    if (timeouts[name] !== undefined) checkWhole(timeouts[name], `timeouts.${name}`, 1, 86_400_000, report);
  }
}
