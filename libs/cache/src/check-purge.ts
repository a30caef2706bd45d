import { GatewayError, type FieldProblem } from '#libs/errors';
import { checkFlag, checkKnown, isDictionary, normalPath, type Report } from '#libs/tenants';
import type { Purge } from './purge-list';

const LISTS = ['urls', 'prefixes', 'tags', 'routes'] as const;
const MAX_VALUES = 100;
const MAX_LENGTH = 2048;

/** A purge that says what it is about, or what is wrong with it. */
export type CheckedPurge =
  { purge: Omit<Purge, 'number'>; problems?: undefined } | { purge?: undefined; problems: FieldProblem[] };

/** Checks what somebody asks to be purged. Everything has to be said in so many words: an empty list may be a mistake. */
export function checkPurge(document: unknown): CheckedPurge {
  const problems: FieldProblem[] = [];
  const report: Report = (field, message) => void problems.push({ field, message });
  if (!isDictionary(document)) return { problems: [{ field: '', message: 'must be an object' }] };
  checkKnown(document, [...LISTS, 'everything', 'soft'], report);
  for (const flag of ['everything', 'soft'])
    if (document[flag] !== undefined) checkFlag(document[flag], flag, report);
  const purge: Record<string, unknown> = { ...(document.soft === true && { soft: true }) };
  for (const name of LISTS)
    if (document[name] !== undefined) purge[name] = checkList(name, document[name], report);
  const named = LISTS.some((name) => document[name] !== undefined);
  if (named === (document.everything === true))
    report('everything', `must be true, or else one of ${LISTS.join(', ')} must be given`);
  return problems.length > 0 ? { problems } : { purge };
}

function checkList(name: (typeof LISTS)[number], list: unknown, report: Report): string[] {
  const isText = (one: unknown): one is string =>
    typeof one === 'string' && one !== '' && one.length <= MAX_LENGTH;
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_VALUES || !list.every(isText)) {
    report(name, `must be a list of 1 to ${MAX_VALUES} texts of up to ${MAX_LENGTH} characters`);
    return [];
  }
  if (name === 'urls') return list.map((url, index) => normalTarget(url, `urls.${index}`, report));
  if (name === 'prefixes' && !list.every((prefix) => prefix.startsWith('/')))
    report('prefixes', 'must begin with a slash, as the paths of requests do');
  return list;
}

/** Path and query as they are in keys. */
function normalTarget(url: string, field: string, report: Report): string {
  const mark = url.indexOf('?');
  const [path, query] = mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark)];
  try {
    return normalPath(path) + (query === '?' ? '' : query);
  } catch (error) {
    report(field, error instanceof GatewayError ? (error.publicDetail ?? error.message) : 'is not a path');
    return url;
  }
}
