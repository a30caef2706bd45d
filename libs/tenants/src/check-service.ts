import type { FieldProblem } from '#libs/errors';
import type { AddressPolicy } from './address-policy';
import { checkCache } from './check-cache';
import { NOT_TRUSTED } from './check-tenant';
import {
  checkAuth,
  checkKnown,
  checkRateLimit,
  checkText,
  checkTimeouts,
  checkUrl,
  checkWhole,
  isDictionary,
  parseJson,
  type Report,
} from './field-checks';
import { checkBreaker, checkSlowStart } from './check-breaker';
import { checkShape } from './shaping/check-shape';
import { SHAPE_FIELDS } from './shaping/shape';
import { checkLoad } from './check-load';
import { checkHealthCheck, checkPassive } from './check-health';
import { checkRetries } from './check-retries';
import { checkSignatureSettings } from './check-signing';
import type { Service } from './service';

/** A service that holds together, or the reasons why a document is none. */
export type CheckedService =
  { service: Service; problems?: undefined } | { service?: undefined; problems: FieldProblem[] };

const MAX_TARGETS = 64;
const MAX_WEIGHT = 1000;
const LOAD_FIELDS = ['maxBodyBytes', 'maxConcurrency', 'maintenance'];
const FIELDS = [
  'name', 'targets', 'balance', 'healthCheck', 'passive', 'breaker', 'slowStartSeconds', 'timeouts', 'rateLimit', 'auth',
  'retries', 'signing', 'inboundSignature', 'cache', ...LOAD_FIELDS, ...SHAPE_FIELDS,
]; // prettier-ignore

/**
 * What is wrong with what somebody says about a service; fields that nobody knows are refused.
 * @param addresses where targets may point to; absent: not judged, because the targets are old.
 * @param issuers whose tokens the tenant accepts, which `auth` may ask for.
 */
export function checkServiceFields(
  document: unknown,
  addresses: AddressPolicy | undefined,
  issuers: readonly string[],
): FieldProblem[] {
  if (!isDictionary(document)) return [{ field: '', message: 'must be an object' }];
  const problems = problemsOf(document, addresses);
  checkKnown(document, FIELDS, (field, message) => void problems.push({ field, message }));
  return [...problems, ...checkIssuers(document.auth, issuers)];
}

/** Whether what a service or published route asks for is something that anybody can bring. */
export function checkIssuers(auth: unknown, issuers: readonly string[]): FieldProblem[] {
  if (!isDictionary(auth)) return [];
  if (auth.jwt === true && issuers.length === 0)
    return [{ field: 'auth.jwt', message: 'needs an idp of the tenant that signs the tokens' }];
  const chosen: unknown[] = Array.isArray(auth.issuers) ? auth.issuers : [];
  const trusted = chosen.every((issuer) => issuers.includes(issuer as string));
  return trusted ? [] : [{ field: 'auth.issuers', message: NOT_TRUSTED }];
}

/** Reads a stored service; its id is that of the key it lies under. */
export function parseService(id: string, text: string): CheckedService {
  const parsed = parseJson(text);
  if ('problems' in parsed) return { problems: parsed.problems };
  const { document } = parsed;
  if (!isDictionary(document)) return { problems: [{ field: '', message: 'must be an object' }] };
  const problems = problemsOf(document, undefined);
  if (typeof document.tenantId !== 'string')
    problems.push({ field: 'tenantId', message: 'must be the id of a tenant' });
  return problems.length > 0 ? { problems } : { service: { ...(document as unknown as Service), id } };
}

function problemsOf(document: Record<string, unknown>, addresses?: AddressPolicy): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const report: Report = (field, message) => void problems.push({ field, message });
  const { name, targets, balance, healthCheck, passive, timeouts, rateLimit, auth } = document;
  checkText(name, 'name', 200, report);
  checkTargets(targets, addresses, report);
  if (balance !== undefined && balance !== 'round-robin' && balance !== 'least-pending')
    report('balance', 'must be round-robin or least-pending');
  if (healthCheck !== undefined) checkHealthCheck(healthCheck, report);
  if (passive !== undefined && passive !== false) checkPassive(passive, report);
  checkBreaker(document.breaker, report);
  checkSlowStart(document.slowStartSeconds, report);
  if (timeouts !== undefined) checkTimeouts(timeouts, report);
  checkRetries(document.retries, report);
  if (rateLimit !== undefined) checkRateLimit(rateLimit, 'rateLimit', report);
  checkAuth(auth, 'auth', report);
  checkShape(document, '', addresses, report);
  checkSignatureSettings(document, '', report);
  checkLoad(document, report);
  if (document.cache !== undefined) checkCache(document.cache, 'cache', report);
  return problems;
}

function checkTargets(targets: unknown, addresses: AddressPolicy | undefined, report: Report): void {
  if (!Array.isArray(targets) || targets.length === 0 || targets.length > MAX_TARGETS)
    return report('targets', `must be a list of 1 to ${MAX_TARGETS} targets`);
  targets.forEach((target: unknown, index) => {
    const field = `targets.${index}`;
    if (!isDictionary(target)) return report(field, 'must be an object');
    checkKnown(target, ['url', 'weight'], (name, message) => report(`${field}.${name}`, message));
    checkUrl(target.url, `${field}.url`, 'upstream', addresses, report);
    if (target.weight !== undefined) checkWhole(target.weight, `${field}.weight`, 1, MAX_WEIGHT, report);
  });
}
