import type { FieldProblem } from '#libs/errors';
import {
  checkKnown,
  isDictionary,
  parseJson,
  routePath,
  type AddressPolicy,
  type Report,
} from '#libs/tenants';
import { checkRule } from './check-rule';
import { matchKeys } from './match-keys';
import type { Publication, PublishedRouteRule } from './publication';
import { USUAL_RESERVATIONS, type Reservations } from './reserved';

/** A publication that holds together, or the reasons why a document is none. */
export type CheckedPublication =
  { publication: Publication; problems?: undefined } | { publication?: undefined; problems: FieldProblem[] };

/** So many are read and compiled in some 20 ms, during which no request is served. */
const MAX_ROUTES = 1000;
/** Rules for one host and path: they are tried one after the other. */
const MAX_AT_ONE_PLACE = 20;
/** Hosts times methods, of all routes together: each is claimed when a publication is stored. */
const MAX_MATCHES = 5000;
/** More problems than these help nobody. */
const MAX_PROBLEMS = 100;

/** Parses stored text. The key under which it lies says whose it is; a `tenantId` inside that differs does not. */
export function parsePublication(
  tenantId: string,
  text: string,
  reservations: Reservations = USUAL_RESERVATIONS,
): CheckedPublication {
  const parsed = parseJson(text);
  if ('problems' in parsed) return { problems: parsed.problems };
  const { document } = parsed;
  return checkPublication(
    isDictionary(document) ? { ...document, tenantId } : document,
    undefined,
    reservations.of(tenantId),
  );
}

/**
 * Checks everything a publication must satisfy to be served, but for what other documents say: whether its services are
 * there, and whether others publish the same.
 * @param addresses where mirrors may point to; absent: not judged, because the document is old.
 * @param reserved first segments that it must not name; absent: the usual ones.
 */
export function checkPublication(
  document: unknown,
  addresses?: AddressPolicy,
  reserved?: ReadonlySet<string>,
): CheckedPublication {
  const problems: FieldProblem[] = [];
  const report: Report = (field, message) => {
    if (problems.length < MAX_PROBLEMS) problems.push({ field, message });
  };
  if (!isDictionary(document)) return { problems: [{ field: '', message: 'must be an object' }] };
  const { tenantId, routes } = document;
  checkKnown(document, ['tenantId', 'routes'], report);
  if (typeof tenantId !== 'string') report('tenantId', 'must be the id of a tenant');
  if (!Array.isArray(routes) || routes.length > MAX_ROUTES)
    report('routes', `must be a list of up to ${MAX_ROUTES} routes`);
  else
    routes.forEach((rule: unknown, index) => checkRule(rule, `routes.${index}`, addresses, report, reserved));
  if (problems.length > 0) return { problems };
  const publication = document as unknown as Publication;
  checkTogether(publication.routes, report);
  return problems.length > 0 ? { problems } : { publication };
}

/** No two rules may have one name, or be meant by one request in the same degree. */
function checkTogether(routes: readonly PublishedRouteRule[], report: Report): void {
  const names = new Set<string>();
  const takenBy = new Map<string, number>();
  const atPlace = new Map<string, number>();
  const matches = routes.reduce(
    (sum, { hosts, methods }) => sum + (hosts ?? [0]).length * ((methods ?? [0]).length + 1),
    0,
  );
  if (matches > MAX_MATCHES)
    return report('routes', `must not name more than ${MAX_MATCHES} hosts and methods`);
  routes.forEach((rule, index) => {
    if (names.has(rule.name)) report(`routes.${index}.name`, 'is given twice');
    names.add(rule.name);
    for (const host of rule.hosts ?? ['*']) {
      const place = `${host} ${routePath(rule.path)}`;
      const count = (atPlace.get(place) ?? 0) + 1;
      atPlace.set(place, count);
      if (count > MAX_AT_ONE_PLACE)
        report(`routes.${index}.path`, `has more than ${MAX_AT_ONE_PLACE} routes`);
    }
    const taken = matchKeys(rule).map((key) => ({ key, by: takenBy.get(key) }));
    const rival = taken.find(({ by }) => by !== undefined)?.by;
    if (rival !== undefined)
      report(`routes.${index}.path`, `is taken by routes.${rival} for the same host, method and headers`);
    for (const { key } of taken) takenBy.set(key, index);
  });
}
