import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { GatewayError } from '#libs/errors';
import type { PublishedRoute } from '#libs/publications';
import {
  TenantDirectory,
  demandAddress,
  routeFor,
  type Caller,
  type Route,
  type ServedService,
} from '#libs/tenants';
import { requestOf, type RequestContext } from './request-context';

/**
 * The route of the tenant that governs a path and takes the method.
 * @throws GatewayError route_not_allowed, or key_not_allowed for a key that is meant for one service
 */
export function chooseRoute({ tenant, key }: Caller, path: string, method: string): Route {
  if (key.serviceId !== undefined) {
    throw new GatewayError('key_not_allowed', `the key is for /proxy/${key.serviceId}`);
  }
  const routes = tenant.routes.find(path);
  if (routes === undefined) throw new GatewayError('route_not_allowed');
  const route = routeFor(routes, method);
  if (route === undefined)
    throw new GatewayError('route_not_allowed', 'the method is not allowed on this route');
  return route;
}

/** Methods that a service is offered (documented). */
const SERVICE_METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);

/**
 * The service as the caller may use it. That of somebody else is as good as none.
 * @throws GatewayError service_not_found, key_not_allowed, method_not_allowed
 */
export function chooseService(
  { tenant, key }: Caller,
  service: ServedService | undefined,
  method: string,
): ServedService {
  if (service === undefined || service.tenantId !== tenant.id) throw new GatewayError('service_not_found');
  if (key.serviceId !== undefined && key.serviceId !== service.id) throw new GatewayError('key_not_allowed');
  if (!SERVICE_METHODS.has(method)) throw new GatewayError('method_not_allowed');
  return service;
}

/**
 * The service that a published route leads to. Whether it is there was looked at when the route was stored.
 * @throws GatewayError tenant_misconfigured, key_not_allowed
 */
export function chooseBackend(
  { tenant, key }: Caller,
  route: PublishedRoute,
  service: ServedService | undefined,
): ServedService {
  if (service === undefined || service.tenantId !== tenant.id)
    throw new GatewayError('tenant_misconfigured', 'a service of the published route is not there');
  // Not that of this request alone: a key must not open a route now and then.
  if (key.serviceId !== undefined && route.services.some((id) => id !== key.serviceId))
    throw new GatewayError('key_not_allowed', `the key is for /proxy/${key.serviceId}`);
  return service;
}

/**
 * Finds where a request goes and notes it in its context: the route of its tenant, the service that its path names, or one
 * of those of a published route.
 * @throws GatewayError as `chooseRoute`, `chooseService` and `chooseBackend`, address_not_allowed and store_unavailable
 */
export function findDestination(
  context: RequestContext,
  caller: Caller,
  directory: TenantDirectory,
): true | Promise<true> {
  const { published } = context;
  if (published) {
    context.route = published;
    demandAddress(published.addresses, context.clientAddress, 'route');
    const service = directory.service(published.nextService(context.staysWith));
    if (service instanceof Promise) return service.then((found) => enterBackend(context, caller, found));
    return enterBackend(context, caller, service);
  }
  if (context.serviceId === undefined) {
    context.route = chooseRoute(caller, context.routedPath, context.method);
    demandAddress(context.route.addresses, context.clientAddress, 'route');
    context.upstream = caller.tenant.upstream;
    return true;
  }
  const service = directory.service(context.serviceId);
  if (service instanceof Promise) return service.then((found) => enter(context, caller, found));
  return enter(context, caller, service);
}

function enter(context: RequestContext, caller: Caller, found: ServedService | undefined): true {
  context.service = chooseService(caller, found, context.method);
  return true;
}

function enterBackend(context: RequestContext, caller: Caller, found: ServedService | undefined): true {
  context.service = chooseBackend(caller, context.published as PublishedRoute, found);
  return true;
}

/** Whether the caller may go there, and where that is. */
@Injectable()
export class RouteGuard implements CanActivate {
  constructor(private readonly directory: TenantDirectory) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const { context } = requestOf(execution);
    context.enter('route');
    if (!context.caller) throw new Error('RouteGuard ran before ApiKeyGuard');
    return findDestination(context, context.caller, this.directory);
  }
}
