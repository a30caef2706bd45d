import {
  ROUTE_SHAPE_FIELDS,
  checkAuth,
  checkClientRules,
  checkCache,
  checkFlag,
  checkHeaders,
  checkKnown,
  checkMaxBody,
  checkMethods,
  checkRateLimit,
  checkRetries,
  checkRoutePath,
  checkRouteShape,
  checkStrip,
  checkSignatureSettings,
  checkWhole,
  depth,
  isDictionary,
  isServiceId,
  looseForm,
  type AddressPolicy,
  type Dictionary,
  type Report,
} from '#libs/tenants';
import { isRouteHost } from './host-name';
import { isReserved } from './reserved';

const FIELDS = [
  'name', 'path', 'hosts', 'methods', 'headers', 'backends', 'stripPrefix', 'addPrefix', 'auth',
  'rateLimit', 'rateLimitPerIp', 'ipAllow', 'ipDeny', 'gatewayRegion', 'forwardApiKey', 'maxBodyBytes', 'retries',
  'signing', 'inboundSignature', 'cache', ...ROUTE_SHAPE_FIELDS,
]; // prettier-ignore
const NAME = /^[A-Za-z0-9._-]{1,100}$/;
const REGION = NAME;
const MAX_HOSTS = 50;
const MAX_METHODS = 20;
const MAX_BACKENDS = 20;
const MAX_WEIGHT = 1000;
/** A look-up tries one prefix a segment, down to the deepest route there is. */
const MAX_SEGMENTS = 16;
const MAX_PATH = 1024;

/** Checks one rule by itself. */
export function checkRule(
  rule: unknown,
  field: string,
  addresses: AddressPolicy | undefined,
  report: Report,
  reserved?: ReadonlySet<string>,
): void {
  if (!isDictionary(rule)) return report(field, 'must be an object');
  const inner: Report = (name, message) => report(name === '' ? field : `${field}.${name}`, message);
  checkKnown(rule, FIELDS, inner);
  if (typeof rule.name !== 'string' || !NAME.test(rule.name))
    inner('name', 'must be 1 to 100 letters, digits, dots, dashes or underscores');
  const path = checkPath(rule.path, inner, reserved);
  if (rule.hosts !== undefined) checkHosts(rule.hosts, inner);
  if (rule.methods !== undefined) {
    checkMethods(rule.methods, 'methods', inner);
    if (Array.isArray(rule.methods) && rule.methods.length > MAX_METHODS)
      inner('methods', `must not be more than ${MAX_METHODS}`);
  }
  if (rule.headers !== undefined) checkHeaders(rule.headers, 'headers', 'match', inner);
  checkRouteShape(rule, '', { path, prefixes: false }, addresses, inner);
  checkBackends(rule.backends, inner);
  checkStrip(rule.stripPrefix, path, inner);
  if (rule.addPrefix !== undefined) checkRoutePath(rule.addPrefix, 'addPrefix', inner);
  if (rule.auth !== undefined) checkRouteAuth(rule.auth, inner);
  checkMaxBody(rule.maxBodyBytes, 'maxBodyBytes', inner);
  if (rule.rateLimit !== undefined) checkRateLimit(rule.rateLimit, 'rateLimit', inner);
  checkRetries(rule.retries, inner);
  checkSignatureSettings(rule, '', inner);
  checkClientRules(rule, '', inner);
  checkPassage(rule, inner);
  if (rule.cache !== undefined) checkCache(rule.cache, 'cache', inner);
}

/** @returns the path in its normal form, if it is one. */
function checkPath(given: unknown, report: Report, reserved?: ReadonlySet<string>): string | undefined {
  const path = checkRoutePath(given, 'path', report);
  if (path === undefined) return undefined;
  if (path.length > MAX_PATH || depth(path) > MAX_SEGMENTS)
    report('path', `must not have more than ${MAX_SEGMENTS} segments or ${MAX_PATH} characters`);
  // Also in the eyes of those who read paths loosely: `/Admin` and `/admin;x` are not given away either.
  else if (isReserved(looseForm(path), reserved))
    report('path', 'begins with a segment that is the gateway’s own');
  return path;
}

function checkHosts(hosts: unknown, report: Report): void {
  if (!Array.isArray(hosts) || hosts.length === 0 || hosts.length > MAX_HOSTS)
    return report('hosts', `must be a list of 1 to ${MAX_HOSTS} host names`);
  hosts.forEach((host: unknown, index) => {
    if (!isRouteHost(host))
      report(`hosts.${index}`, 'must be a host name in lower case without port, with `*.` before it at most');
    else if (hosts.indexOf(host) < index) report(`hosts.${index}`, 'is given twice');
  });
}

function checkBackends(backends: unknown, report: Report): void {
  if (!Array.isArray(backends) || backends.length === 0 || backends.length > MAX_BACKENDS)
    return report('backends', `must be a list of 1 to ${MAX_BACKENDS} services`);
  // NaN as soon as one of them is none.
  let total = 0;
  const seen = new Set<unknown>();
  backends.forEach((backend: unknown, index) => {
    const field = `backends.${index}`;
    if (!isDictionary(backend)) {
      total = NaN;
      return report(field, 'must be an object');
    }
    checkKnown(backend, ['service', 'weight'], (name, message) => report(`${field}.${name}`, message));
    const { service, weight = 1 } = backend;
    if (typeof service !== 'string' || !isServiceId(service))
      report(`${field}.service`, 'must be the id of a service');
    else if (seen.has(service)) report(`${field}.service`, 'is given twice');
    seen.add(service);
    if (checkWhole(weight, `${field}.weight`, 0, MAX_WEIGHT, report)) total += weight as number;
    else total = NaN;
  });
  if (total === 0) report('backends', 'must have a weight above 0');
}

/** What is sent along that a client must not say itself, or that a gateway usually keeps. */
function checkPassage({ gatewayRegion, forwardApiKey, auth }: Dictionary, report: Report): void {
  if (gatewayRegion !== undefined && (typeof gatewayRegion !== 'string' || !REGION.test(gatewayRegion)))
    report('gatewayRegion', 'must be 1 to 100 letters, digits, dots, dashes or underscores');
  if (forwardApiKey === undefined) return;
  checkFlag(forwardApiKey, 'forwardApiKey', report);
  if (forwardApiKey === true && isDictionary(auth) && auth.apiKey === true)
    report('forwardApiKey', 'must not be true where the key is for the gateway');
}

function checkRouteAuth(auth: unknown, report: Report): void {
  if (!isDictionary(auth)) return checkAuth(auth, 'auth', report);
  const { apiKey, ...policy } = auth;
  checkAuth(policy, 'auth', report);
  if (apiKey !== undefined) checkFlag(apiKey, 'auth.apiKey', report);
}
