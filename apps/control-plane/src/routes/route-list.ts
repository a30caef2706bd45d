import { GatewayError } from '#libs/errors';
import { checkTenant, routePath, type RouteRule, type Tenant, type TenantDocument } from '#libs/tenants';

/**
 * A change of a tenant's routes as a change of its document.
 * @throws GatewayError validation_failed, when called, if the stored document is broken: there is no list to change
 */
export function changeRoutes(change: (routes: readonly RouteRule[]) => RouteRule[]) {
  return (current: TenantDocument): TenantDocument => ({
    ...current,
    allowedRoutes: change(sound(current).allowedRoutes),
  });
}

function sound(document: TenantDocument): Tenant {
  // What is wrong with the result is said when it is written.
  const { tenant, problems } = checkTenant(document, undefined, true);
  if (!tenant)
    throw new GatewayError('validation_failed', 'the stored document is broken: replace it', {
      fields: problems,
    });
  return tenant;
}

/** @throws GatewayError already_exists if a rule for the same path takes one of the methods */
export function withRoute(routes: readonly RouteRule[], added: RouteRule): RouteRule[] {
  const path = comparable(added.path);
  if (routes.some((route) => comparable(route.path) === path && overlap(route.methods, added.methods))) {
    throw new GatewayError('already_exists', 'there is a route for this path and method');
  }
  return [...routes, added];
}

/**
 * The routes without those of a path, or without one method of them.
 * @throws GatewayError route_not_found
 */
export function withoutRoute(routes: readonly RouteRule[], path: string, method?: string): RouteRule[] {
  const meant = (route: RouteRule): boolean =>
    comparable(route.path) === comparable(path) &&
    (method === undefined || (route.methods?.includes(method) ?? false));
  if (!routes.some(meant)) throw new GatewayError('route_not_found');
  return routes.flatMap((route) => {
    if (!meant(route)) return [route];
    const methods = method === undefined ? [] : (route.methods ?? []).filter((other) => other !== method);
    return methods.length > 0 ? [{ ...route, methods }] : [];
  });
}

/** Two rules without methods overlap; one with and one without do not: the more particular one decides. */
function overlap(a: string[] | undefined, b: string[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.some((method) => b.includes(method));
}

/** Paths that are none are left to validation, which says why. */
function comparable(path: string): string {
  try {
    return routePath(path);
  } catch {
    return path;
  }
}
