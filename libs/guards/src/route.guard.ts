import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { GatewayError } from '#libs/errors';
import { routeFor, type Route, type ServedTenant } from '#libs/tenants';
import { requestOf } from './request-context';

/**
 * The route of the tenant that governs a path and takes the method.
 * @throws GatewayError route_not_allowed
 */
export function chooseRoute(tenant: ServedTenant, path: string, method: string): Route {
  const routes = tenant.routes.find(path);
  if (routes === undefined) throw new GatewayError('route_not_allowed');
  const route = routeFor(routes, method);
  if (route === undefined)
    throw new GatewayError('route_not_allowed', 'the method is not allowed on this route');
  return route;
}

/** Second of the request path: whether the tenant may go there. */
@Injectable()
export class RouteGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const { context } = requestOf(execution);
    context.judge = 'route';
    if (!context.tenant) throw new Error('RouteGuard ran before ApiKeyGuard');
    context.route = chooseRoute(context.tenant, context.routedPath, context.method);
    return true;
  }
}
