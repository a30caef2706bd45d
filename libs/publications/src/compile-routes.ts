import { plainName, routePath } from '#libs/tenants';
import type { Publication, PublishedRouteRule } from './publication';
import { PublishedRoute } from './published-route';

/**
 * The routes of a publication for the request path. A service believes the headers that one of them makes of a token,
 * and cannot see by which a request has come: on the others to the same service a client must not send them either.
 */
export function compileRoutes({ tenantId, routes }: Publication): PublishedRoute[] {
  const vouched = vouchedByService(routes);
  const caching = new Set(routes.filter(({ cache }) => cache).map(({ path }) => routePath(path)));
  return routes.map((rule) => {
    // What a POST changes has perhaps been stored by the route that takes the GETs.
    const beside = rule.cache === undefined && caching.has(routePath(rule.path));
    const compiled = beside ? { ...rule, cache: { enabled: false } } : rule;
    return new PublishedRoute(tenantId, compiled, vouched && vouchedFor(rule, vouched));
  });
}

/** Header names as they are compared, by the id of the service that believes them; undefined if no route makes any. */
function vouchedByService(routes: readonly PublishedRouteRule[]): Map<string, Set<string>> | undefined {
  const vouched = new Map<string, Set<string>>();
  for (const { auth, backends } of routes) {
    const names = Object.keys(auth?.claimHeaders ?? {}).map(plainName);
    if (names.length === 0) continue;
    for (const { service } of backends) {
      const known = vouched.get(service);
      if (known) for (const name of names) known.add(name);
      else vouched.set(service, new Set(names));
    }
  }
  return vouched.size > 0 ? vouched : undefined;
}

function vouchedFor(
  { backends }: PublishedRouteRule,
  vouched: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlySet<string> | undefined {
  const names = new Set(backends.flatMap(({ service }) => [...(vouched.get(service) ?? [])]));
  return names.size > 0 ? names : undefined;
}
