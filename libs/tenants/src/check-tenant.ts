import type { FieldProblem } from '#libs/errors';
import type { AddressPolicy } from './address-policy';
import {
  checkAuth,
  checkFlag,
  checkMethods,
  checkRateLimit,
  checkRoutePath,
  checkText,
  checkTimeouts,
  checkUrl,
  isDictionary,
  parseJson,
  type Report,
} from './field-checks';
import type { Tenant } from './tenant';

/** A tenant that holds together, or the reasons why a document is none. */
export type CheckedTenant =
  { tenant: Tenant; problems?: undefined } | { tenant?: undefined; problems: FieldProblem[] };

/** Ids appear in keys, metrics, logs and URLs. */
export const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Only asymmetric: a shared secret must never be compared against a published key (RFC 8725 §2.1). */
// prettier-ignore
export const TOKEN_ALGORITHMS = [
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519',
];

/** Parses stored text; see `checkTenant`. */
export function parseTenant(id: string, text: string): CheckedTenant {
  const parsed = parseJson(text);
  if ('problems' in parsed) return parsed;
  const { document } = parsed;
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
  checkText(document.name, 'name', 200, report);
  checkUrl(document.upstreamBaseUrl, 'upstreamBaseUrl', 'upstream', addresses, report);
  checkRoutes(document.allowedRoutes, report);
  checkAuth(document.auth, 'auth', report);
  if (document.rateLimit !== undefined) checkRateLimit(document.rateLimit, 'rateLimit', report);
  if (document.idp !== undefined) checkIdp(document.idp, addresses, report);
  if (document.timeouts !== undefined) checkTimeouts(document.timeouts, report);
  if (document.suspended !== undefined) checkFlag(document.suspended, 'suspended', report);
  if (problems.length > 0) return { problems };
  const tenant = document as unknown as Tenant;
  checkJwtHasIssuer(tenant, report);
  return problems.length > 0 ? { problems } : { tenant };
}

function checkRoutes(routes: unknown, report: Report): void {
  if (!Array.isArray(routes)) return report('allowedRoutes', 'must be a list');
  const seen = new Set<string>();
  routes.forEach((route: unknown, index) => checkRoute(route, `allowedRoutes.${index}`, seen, report));
}

function checkRoute(route: unknown, field: string, seen: Set<string>, report: Report): void {
  if (!isDictionary(route)) return report(field, 'must be an object');
  checkAuth(route.auth, `${field}.auth`, report);
  const { methods, rateLimit } = route;
  if (methods !== undefined) checkMethods(methods, `${field}.methods`, report);
  if (rateLimit !== undefined) checkRateLimit(rateLimit, `${field}.rateLimit`, report);
  const path = checkRoutePath(route.path, `${field}.path`, report);
  if (path === undefined) return;
  for (const method of Array.isArray(methods) ? methods : ['*']) {
    const claim = `${String(method)} ${path}`;
    if (seen.has(claim)) report(`${field}.path`, 'is given twice for the same method');
    seen.add(claim);
  }
}

function checkIdp(idp: unknown, addresses: AddressPolicy | undefined, report: Report): void {
  if (!isDictionary(idp)) return report('idp', 'must be an object');
  const inner: Report = (field, message) => report(`idp.${field}`, message);
  checkText(idp.issuer, 'issuer', 2048, inner);
  checkText(idp.audience, 'audience', 2048, inner);
  checkUrl(idp.jwksUri, 'jwksUri', 'document', addresses, inner);
  const { algorithms } = idp;
  if (algorithms === undefined) return;
  const known = (value: unknown): boolean => TOKEN_ALGORITHMS.includes(value as string);
  if (!Array.isArray(algorithms) || algorithms.length === 0 || !algorithms.every(known)) {
    inner('algorithms', `must be a list of ${TOKEN_ALGORITHMS.join(', ')}`);
  }
}

function checkJwtHasIssuer(tenant: Tenant, report: Report): void {
  if (tenant.idp) return;
  if (tenant.auth?.jwt) report('auth.jwt', 'needs an idp that signs the tokens');
  tenant.allowedRoutes.forEach((route, index) => {
    if (route.auth?.jwt) report(`allowedRoutes.${index}.auth.jwt`, 'needs an idp that signs the tokens');
  });
}
