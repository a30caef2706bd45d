import { checkFlag, checkKnown, checkWhole, isDictionary, type Report } from './field-checks';

const FIELDS = [
  'enabled', 'ttlSeconds', 'methods', 'varyOn', 'keyQuery', 'perIdentity', 'statuses', 'maxBodyBytes',
  'staleWhileRevalidateSeconds', 'staleIfErrorSeconds', 'tags',
]; // prettier-ignore
/** RFC 9110 §5.6.2. */
const HEADER = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
/** As in a `Cache-Tag` field: visible ASCII without the comma. */
const TAG = /^[!-+\--~]{1,128}$/;
const MAX_NAMES = 50;
/** A year, as RFC 9111 §1.2.2 has it. */
const MAX_SECONDS = 31_536_000;
/** What is recorded is kept in memory until it is complete. */
const MAX_BODY_BYTES = 16_777_216;
/** Never to be stored as if they were complete responses: interim, partial, not modified. */
const UNSTORABLE = new Set([206, 304]);
/** Identity has a field of its own, and what is different for every request would only fill the store. */
const NOT_KEYS = new Set([
  'authorization',
  'cookie',
  'x-api-key',
  'x-request-id',
  'x-forwarded-for',
  'forwarded',
  'range',
]);

/** Checks the cache policy of a tenant, service or route. Fields nobody knows are refused: a misspelt `perIdentity` would leak. */
export function checkCache(policy: unknown, field: string, report: Report): void {
  if (!isDictionary(policy)) return report(field, 'must be an object');
  const inner: Report = (name, message) => report(`${field}.${name}`, message);
  checkKnown(policy, FIELDS, inner);
  for (const flag of ['enabled', 'perIdentity'])
    if (policy[flag] !== undefined) checkFlag(policy[flag], flag, inner);
  const whole = (name: string, min: number, max: number): void => {
    if (policy[name] !== undefined) checkWhole(policy[name], name, min, max, inner);
  };
  whole('ttlSeconds', 1, MAX_SECONDS);
  whole('staleWhileRevalidateSeconds', 0, MAX_SECONDS);
  whole('staleIfErrorSeconds', 0, MAX_SECONDS);
  whole('maxBodyBytes', 1, MAX_BODY_BYTES);
  const { methods, varyOn, keyQuery, statuses, tags } = policy;
  if (methods !== undefined && !isListOf(methods, (one) => one === 'GET' || one === 'HEAD'))
    inner('methods', 'must be a list of GET and HEAD');
  if (varyOn !== undefined && !isListOf(varyOn, isKeyHeader))
    inner('varyOn', `must be a list of 1 to ${MAX_NAMES} headers that tell responses and not callers apart`);
  if (keyQuery !== undefined) checkKeyQuery(keyQuery, inner);
  if (statuses !== undefined && !isListOf(statuses, isStorable))
    inner('statuses', 'must be a list of statuses from 200 to 599 other than 206 and 304');
  if (tags !== undefined && !isListOf(tags, (one) => typeof one === 'string' && TAG.test(one)))
    inner('tags', `must be a list of 1 to ${MAX_NAMES} tags of visible ASCII without commas`);
}

function checkKeyQuery(keyQuery: unknown, report: Report): void {
  const names = isDictionary(keyQuery) ? Object.keys(keyQuery) : [];
  const [kind = ''] = names;
  if (!isDictionary(keyQuery) || names.length !== 1 || (kind !== 'include' && kind !== 'ignore'))
    return report('keyQuery', 'must be an object with either include or ignore');
  const isName = (one: unknown): boolean => typeof one === 'string' && one !== '' && one.length <= 200;
  if (!isListOf(keyQuery[kind], isName))
    report(`keyQuery.${kind}`, `must be a list of 1 to ${MAX_NAMES} names of parameters`);
}

function isListOf(list: unknown, fits: (one: unknown) => boolean): boolean {
  return Array.isArray(list) && list.length > 0 && list.length <= MAX_NAMES && list.every(fits);
}

function isKeyHeader(name: unknown): boolean {
  return typeof name === 'string' && HEADER.test(name) && !NOT_KEYS.has(name.toLowerCase());
}

function isStorable(status: unknown): boolean {
  const whole = Number.isInteger(status) && (status as number) >= 200 && (status as number) <= 599;
  return whole && !UNSTORABLE.has(status as number);
}
