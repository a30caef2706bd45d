import { GatewayError, type FieldProblem } from '#libs/errors';
import type { AddressPolicy } from './address-policy';
import { routePath } from './route-table';

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

/** The URL of an upstream, under which paths are asked for, or of another thing that is fetched as it is. */
export function checkUrl(
  value: unknown,
  field: string,
  purpose: 'upstream' | 'document',
  addresses: AddressPolicy | undefined,
  report: Report,
): void {
  if (typeof value !== 'string' || !URL.canParse(value)) return report(field, 'must be an http or https URL');
  const url = new URL(value);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') report(field, 'must be an http or https URL');
  else if (url.username || url.password) report(field, 'must not carry a user or password');
  else if (url.hash || (url.search && purpose === 'upstream'))
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

export function checkAuth(auth: unknown, field: string, report: Report): void {
  if (auth === undefined) return;
  if (!isDictionary(auth) || typeof auth.jwt !== 'boolean') report(`${field}.jwt`, 'must be true or false');
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
