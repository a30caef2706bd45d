import type { FieldProblem } from '#libs/errors';
import type { AddressPolicy } from './address-policy';
import { checkBreaker } from './check-breaker';
import { checkLoad, checkMaxBody } from './check-load';
import { checkClientRules } from './check-client-rules';
import { checkCache } from './check-cache';
import { checkTrust } from './check-identity-provider';
import {
  checkAuth,
  checkFlag,
  checkMethods,
  checkRateLimit,
  checkRoutePath,
  checkTenantAuth,
  checkText,
  checkTimeouts,
  checkUrl,
  isDictionary,
  parseJson,
  type Report,
} from './field-checks';
import { checkRetries } from './check-retries';
import { checkCompression } from './shaping/check-compression';
import { checkRouteShape } from './shaping/check-shape';
import { checkKeyNames, checkSignatureKeys, checkSignatureSettings } from './check-signing';
import { issuersOf, trustOf } from './identity-provider';
import type { Tenant } from './tenant';

/** A tenant that holds together, or the reasons why a document is none. */
export type CheckedTenant =
  { tenant: Tenant; problems?: undefined } | { tenant?: undefined; problems: FieldProblem[] };

/** Ids appear in keys, metrics, logs and URLs. */
export const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const NEEDS_ISSUER = 'needs an idp that signs the tokens';
export const NOT_TRUSTED = 'must be issuers whose tokens the tenant accepts';

/** Parses stored text; see `checkTenant`. */
export function parseTenant(id: string, text: string): CheckedTenant {
  const parsed = parseJson(text);
  if ('problems' in parsed) return parsed;
  const { document } = parsed;
  // The key under which a document lies says whose it is; an id inside that differs must not borrow another's buckets.
  // Whether the gateway has keys of its own is known where tokens are verified, and settled there.
  return checkTenant(isDictionary(document) ? { ...document, id } : document, undefined, true);
}

/**
 * Checks everything a tenant document must satisfy to be served: types, ranges, and that its parts fit together.
 * Fields nobody knows are left alone: other programs may keep theirs in the same document.
 * @param addresses adds the check where upstream and JWKS URLs may point to.
 * @param ownTokens whether the gateway has keys of its own for the tokens of tenants that have no identity provider.
 */
export function checkTenant(document: unknown, addresses?: AddressPolicy, ownTokens = false): CheckedTenant {
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
  checkRoutes(document.allowedRoutes, addresses, report);
  checkCompression(document.compression, 'compression', report);
  checkTenantAuth(document.auth, 'auth', report);
  if (document.rateLimit !== undefined) checkRateLimit(document.rateLimit, 'rateLimit', report);
  checkClientRules(document, '', report);
  checkTrust(document, addresses, report);
  if (document.timeouts !== undefined) checkTimeouts(document.timeouts, report);
  checkRetries(document.retries, report);
  checkBreaker(document.breaker, report);
  checkSignatureKeys(document.signatureKeys, 'signatureKeys', report);
  checkSignatureSettings(document, '', report);
  if (document.cache !== undefined) checkCache(document.cache, 'cache', report);
  if (document.suspended !== undefined) checkFlag(document.suspended, 'suspended', report);
  checkLoad(document, report);
  if (problems.length > 0) return { problems };
  const tenant = document as unknown as Tenant;
  checkHasIssuers(tenant, ownTokens, report);
  checkHasKeys(tenant, report);
  return problems.length > 0 ? { problems } : { tenant };
}

function checkRoutes(routes: unknown, addresses: AddressPolicy | undefined, report: Report): void {
  if (!Array.isArray(routes)) return report('allowedRoutes', 'must be a list');
  const seen = new Set<string>();
  routes.forEach((route: unknown, index) =>
    checkRoute(route, `allowedRoutes.${index}`, seen, addresses, report),
  );
}

function checkRoute(
  route: unknown,
  field: string,
  seen: Set<string>,
  addresses: AddressPolicy | undefined,
  report: Report,
): void {
  if (!isDictionary(route)) return report(field, 'must be an object');
  checkAuth(route.auth, `${field}.auth`, report);
  checkClientRules(route, field, report);
  const { methods, rateLimit } = route;
  if (methods !== undefined) checkMethods(methods, `${field}.methods`, report);
  if (rateLimit !== undefined) checkRateLimit(rateLimit, `${field}.rateLimit`, report);
  checkSignatureSettings(route, field, report);
  checkMaxBody(route.maxBodyBytes, `${field}.maxBodyBytes`, report);
  if (route.cache !== undefined) checkCache(route.cache, `${field}.cache`, report);
  const path = checkRoutePath(route.path, `${field}.path`, report);
  checkRouteShape(route, field, { path, prefixes: true }, addresses, report);
  if (path === undefined) return;
  for (const method of Array.isArray(methods) ? methods : ['*']) {
    const claim = `${String(method)} ${path}`;
    if (seen.has(claim)) report(`${field}.path`, 'is given twice for the same method');
    seen.add(claim);
  }
}

/** Fail closed: a signature by a key that is not there could neither be made nor judged. */
function checkHasKeys(tenant: Tenant, report: Report): void {
  const { signatureKeys, allowedRoutes } = tenant;
  const problems = [
    ...checkKeyNames(tenant, signatureKeys),
    ...allowedRoutes.flatMap((route, index) => checkKeyNames(route, signatureKeys, `allowedRoutes.${index}`)),
  ];
  for (const { field, message } of problems) report(field, message);
}

/** Tokens that are asked for must be somebody's: a route nobody can enter is a mistake, and so is a misspelt issuer. */
function checkHasIssuers(tenant: Tenant, ownTokens: boolean, report: Report): void {
  const trust = trustOf(tenant);
  const issuers = new Set(issuersOf(trust));
  const anybody = trust.providers.length > 0 || ownTokens;
  if (!anybody && tenant.auth?.jwt) report('auth.jwt', NEEDS_ISSUER);
  tenant.allowedRoutes.forEach(({ auth }, index) => {
    if (!anybody && auth?.jwt) report(`allowedRoutes.${index}.auth.jwt`, NEEDS_ISSUER);
    if (auth?.issuers?.every((issuer) => issuers.has(issuer)) === false)
      report(`allowedRoutes.${index}.auth.issuers`, NOT_TRUSTED);
  });
}
