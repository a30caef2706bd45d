import { GatewayError } from '#libs/errors';
import { checkFlag, checkKnown, checkRoutePath, isDictionary, type Report } from '../field-checks';
import { normalPath } from '../normal-path';
import { isReadable } from './check-headers';
import { objectionToVariables } from './header-text';
import { PathPattern } from './path-template';

const MAX_CHANGES = 20;
const MAX_PARAMETERS = 20;
const MAX_TEXT = 1024;
/** Visible ASCII, and spaces between. */
const VALUE = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;

/**
 * What a route makes of paths and queries.
 * @param path of the route, in normal form; undefined where it is none, which is somebody else's to say.
 * @param prefixes whether prefixes are said here; published routes say them beside it.
 */
export function checkRewrite(
  rewrite: unknown,
  field: string,
  path: string | undefined,
  prefixes: boolean,
  report: Report,
): void {
  if (rewrite === undefined) return;
  if (!isDictionary(rewrite)) return report(field, 'must be an object');
  const inner: Report = (name, message) => report(`${field}.${name}`, message);
  checkKnown(rewrite, ['stripPrefix', 'addPrefix', 'paths', 'query', 'responses'], inner);
  const { stripPrefix, addPrefix, paths, query, responses } = rewrite;
  for (const name of ['stripPrefix', 'addPrefix'])
    if (!prefixes && rewrite[name] !== undefined) inner(name, 'is said by the route itself');
  if (prefixes) checkStrip(stripPrefix, path, inner);
  if (prefixes && addPrefix !== undefined) checkRoutePath(addPrefix, 'addPrefix', inner);
  if (paths !== undefined) checkChanges(paths, inner);
  if (query !== undefined) checkQuery(query, inner);
  if (responses !== undefined) checkFlag(responses, 'responses', inner);
}

/** @param path of the route: only what it begins with can be removed. */
export function checkStrip(strip: unknown, path: string | undefined, report: Report): void {
  if (strip === undefined || typeof strip === 'boolean') return;
  const prefix = checkRoutePath(strip, 'stripPrefix', report);
  if (prefix === undefined || path === undefined) return;
  if (prefix !== path && prefix !== '/' && !path.startsWith(`${prefix}/`))
    report('stripPrefix', 'must be true, false, or what `path` begins with in whole segments');
}

function checkChanges(paths: unknown, report: Report): void {
  if (!Array.isArray(paths) || paths.length > MAX_CHANGES)
    return report('paths', `must be a list of up to ${MAX_CHANGES} changes`);
  paths.forEach((change: unknown, index) => {
    const field = `paths.${index}`;
    if (!isDictionary(change)) return report(field, 'must be an object');
    checkKnown(change, ['from', 'to'], (name, message) => report(`${field}.${name}`, message));
    const from = checkPattern(change.from, `${field}.from`, report);
    const to = checkPattern(change.to, `${field}.to`, report);
    if (from && to && !to.fits(from))
      report(`${field}.to`, 'has a name that `from` does not have, or not in the same way');
  });
}

function checkPattern(text: unknown, field: string, report: Report): PathPattern | undefined {
  if (typeof text !== 'string' || text.length > MAX_TEXT) {
    report(field, `must be a path of up to ${MAX_TEXT} characters`);
    return undefined;
  }
  const pattern = PathPattern.parse(text);
  const objection = typeof pattern === 'string' ? pattern : objectionToSample(pattern.sample);
  if (objection !== undefined) report(field, objection);
  return typeof pattern === 'string' ? undefined : pattern;
}

/** Paths are compared in their normal form: another one would never be met, or not be what is sent. */
function objectionToSample(sample: string): string | undefined {
  try {
    const normal = normalPath(sample);
    return /[?*]/.test(sample) || normal !== sample ? 'must be a path in its normal form' : undefined;
  } catch (error) {
    return error instanceof GatewayError ? (error.publicDetail ?? error.message) : 'is not a path';
  }
}

function checkQuery(query: unknown, report: Report): void {
  if (!isDictionary(query)) return report('query', 'must be an object');
  const inner: Report = (name, message) => report(`query.${name}`, message);
  checkKnown(query, ['set', 'remove'], inner);
  const { set = {}, remove = [] } = query;
  if (!isDictionary(set) || Object.keys(set).length > MAX_PARAMETERS)
    inner('set', `must be an object of up to ${MAX_PARAMETERS} texts by parameter`);
  else for (const [name, value] of Object.entries(set)) checkParameter(name, value, `set.${name}`, inner);
  const isName = (name: unknown): boolean =>
    typeof name === 'string' && name !== '' && name.length <= MAX_TEXT;
  if (!Array.isArray(remove) || remove.length > MAX_PARAMETERS || !remove.every(isName))
    inner('remove', `must be a list of up to ${MAX_PARAMETERS} names`);
}

function checkParameter(name: string, value: unknown, field: string, report: Report): void {
  if (name === '' || name.length > MAX_TEXT || /\p{Surrogate}/u.test(name))
    return report('set', 'has a parameter without a proper name');
  if (typeof value !== 'string' || value.length > MAX_TEXT || !VALUE.test(value))
    return report(field, `must be a text of visible ASCII, up to ${MAX_TEXT} characters`);
  const objection = objectionToVariables(value, isReadable);
  if (objection !== undefined) report(field, objection);
}
