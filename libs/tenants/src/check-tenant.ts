import { GatewayError, type FieldProblem } from '#libs/errors';
import type { AddressPolicy } from './address-policy';
import { routePath } from './route-table';
import type { Tenant } from './tenant';

/** A tenant that holds together, or the reasons why a document is none. */
export type CheckedTenant =
  { tenant: Tenant; problems?: undefined } | { tenant?: undefined; problems: FieldProblem[] };

/** Ids appear in keys, metrics, logs and URLs. */
const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const METHOD = /^[A-Z][A-Z-]{0,19}$/;
/** Only asymmetric: a shared secret must never be compared against a published key (RFC 8725 §2.1). */
// prettier-ignore
export const TOKEN_ALGORITHMS = [
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519',
];
/** The bucket's arithmetic is exact up to 2^53 (see token-bucket.ts). */
const MAX_BUCKET_UNITS = Number.MAX_SAFE_INTEGER;

type Report = (field: string, message: string) => void;
type Dictionary = Record<string, unknown>;

/** Parses stored text; see `checkTenant`. */
export function parseTenant(id: string, text: string): CheckedTenant {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    // Node quotes the text around the fault, which is nobody's business; its place is enough.
    const place = /position \d+/.exec((error as Error).message)?.[0] ?? 'its end';
    return { problems: [{ field: '', message: `is not JSON: fault at ${place}` }] };
  }
  // The key under which a document lies says whose it is; an id inside that differs must not borrow another's buckets.
  return checkTenant(isDictionary(document) ? { ...document, id } : document);
}

/**
 * Checks everything a tenant document must satisfy to be served: types, ranges, and that its parts fit together.
 * Fields nobody knows are left alone: other programs may keep theirs in the same document.
 * @param addresses adds the check where upstream and JWKS URLs may point to.
 */
export function checkTenant(document: unknown, addresses?: AddressPolicy): CheckedTenant {
  const problems: FieldProblem[] = [];
  const report: Report = (field, message) => void problems.push({ field, message });
  if (!isDictionary(document)) return { problems: [{ field: '', message: 'must be an object' }] };

  if (typeof document.id !== 'string' || !TENANT_ID.test(document.id)) {
    report(
      'id',
      'must be 1 to 64 letters, digits, dots, dashes or underscores, starting with a letter or digit',
    );
  }
  checkText(document, 'name', 200, report);
  checkUrl(document.upstreamBaseUrl, 'upstreamBaseUrl', addresses, report);
  checkRoutes(document.allowedRoutes, report);
  checkAuth(document.auth, 'auth', report);
  if (document.rateLimit !== undefined) checkRateLimit(document.rateLimit, report);
  if (document.idp !== undefined) checkIdp(document.idp, addresses, report);
  if (document.timeouts !== undefined) checkTimeouts(document.timeouts, report);
  if (document.suspended !== undefined && typeof document.suspended !== 'boolean') {
    report('suspended', 'must be true or false');
  }
  if (problems.length > 0) return { problems };
  const tenant = document as unknown as Tenant;
  checkJwtHasIssuer(tenant, report);
  return problems.length > 0 ? { problems } : { tenant };
}

function checkText(from: Dictionary, field: string, maxLength: number, report: Report): void {
  const value = from[field];
  if (typeof value !== 'string' || value.trim() === '' || value.length > maxLength) {
    report(field, `must be a text of 1 to ${maxLength} characters`);
  }
}

function checkUrl(value: unknown, field: string, addresses: AddressPolicy | undefined, report: Report): void {
  if (typeof value !== 'string' || !URL.canParse(value)) return report(field, 'must be an http or https URL');
  const url = new URL(value);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') report(field, 'must be an http or https URL');
  else if (url.username || url.password) report(field, 'must not carry a user or password');
  else if (url.hash || (url.search && field === 'upstreamBaseUrl'))
    report(field, 'must not have a query or fragment');
  const objection = addresses?.objectionToHost(url.hostname);
  if (objection) report(field, objection);
}

function checkRoutes(routes: unknown, report: Report): void {
  if (!Array.isArray(routes)) return report('allowedRoutes', 'must be a list');
  const seen = new Set<string>();
  routes.forEach((route: unknown, index) => checkRoute(route, `allowedRoutes.${index}`, seen, report));
}

function checkRoute(route: unknown, field: string, seen: Set<string>, report: Report): void {
  if (!isDictionary(route)) return report(field, 'must be an object');
  checkAuth(route.auth, `${field}.auth`, report);
  const methods = route.methods;
  if (methods !== undefined && !(Array.isArray(methods) && methods.length > 0 && methods.every(isMethod))) {
    report(`${field}.methods`, 'must be a list of methods in upper case');
  }
  const path = checkRoutePath(route.path, `${field}.path`, report);
  if (path === undefined) return;
  for (const method of Array.isArray(methods) ? methods : ['*']) {
    const claim = `${String(method)} ${path}`;
    if (seen.has(claim)) report(`${field}.path`, 'is given twice for the same method');
    seen.add(claim);
  }
}

function checkRoutePath(path: unknown, field: string, report: Report): string | undefined {
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

function isMethod(value: unknown): boolean {
  return typeof value === 'string' && METHOD.test(value);
}

function checkAuth(auth: unknown, field: string, report: Report): void {
  if (auth === undefined) return;
  if (!isDictionary(auth) || typeof auth.jwt !== 'boolean') report(`${field}.jwt`, 'must be true or false');
}

function checkRateLimit(limit: unknown, report: Report): void {
  if (!isDictionary(limit)) return report('rateLimit', 'must be an object');
  const { windowSeconds, maxRequests } = limit;
  const windowFits = checkWhole(windowSeconds, 'rateLimit.windowSeconds', 1, 31 * 86_400, report);
  const countFits = checkWhole(maxRequests, 'rateLimit.maxRequests', 1, 1_000_000_000, report);
  if (windowFits && countFits && Number(windowSeconds) * 1000 * Number(maxRequests) > MAX_BUCKET_UNITS) {
    report('rateLimit', 'is too large: windowSeconds × maxRequests must stay below 9.007e12');
  }
}

function checkWhole(value: unknown, field: string, min: number, max: number, report: Report): boolean {
  const fits = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
  if (!fits) report(field, `must be a whole number from ${min} to ${max}`);
  return fits;
}

function checkIdp(idp: unknown, addresses: AddressPolicy | undefined, report: Report): void {
  if (!isDictionary(idp)) return report('idp', 'must be an object');
  const inner: Report = (field, message) => report(`idp.${field}`, message);
  checkText(idp, 'issuer', 2048, inner);
  checkText(idp, 'audience', 2048, inner);
  checkUrl(idp.jwksUri, 'jwksUri', addresses, inner);
  const { algorithms } = idp;
  if (algorithms === undefined) return;
  const known = (value: unknown): boolean => TOKEN_ALGORITHMS.includes(value as string);
  if (!Array.isArray(algorithms) || algorithms.length === 0 || !algorithms.every(known)) {
    inner('algorithms', `must be a list of ${TOKEN_ALGORITHMS.join(', ')}`);
  }
}

function checkTimeouts(timeouts: unknown, report: Report): void {
  if (!isDictionary(timeouts)) return report('timeouts', 'must be an object');
  for (const name of ['connectMs', 'firstByteMs', 'idleMs', 'totalMs']) {
    if (timeouts[name] !== undefined) checkWhole(timeouts[name], `timeouts.${name}`, 1, 86_400_000, report);
  }
}

function checkJwtHasIssuer(tenant: Tenant, report: Report): void {
  if (tenant.idp) return;
  if (tenant.auth?.jwt) report('auth.jwt', 'needs an idp that signs the tokens');
  tenant.allowedRoutes.forEach((route, index) => {
    if (route.auth?.jwt) report(`allowedRoutes.${index}.auth.jwt`, 'needs an idp that signs the tokens');
  });
}

function isDictionary(value: unknown): value is Dictionary {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
