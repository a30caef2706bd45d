import { looseForm } from '#libs/tenants';
import { hostName } from './host-name';
import { DISPUTED, HostRoutes } from './host-routes';
import type { PublishedRoute } from './published-route';
import { USUAL_RESERVATIONS, isReserved } from './reserved';

/** The name under which routes for any host are kept; no host is called so. */
const ANY_HOST = '';

/**
 * The published routes of all tenants, by host and path (docs/adr/0011).
 *
 * The host comes first: a request belongs to the routes of its very host if one of them has its path, else to those of the
 * wildcard, else to those that name no host. There the longest prefix decides, in whole segments, and only its routes are
 * looked at: what a place refuses is not let in by the one above it. Among them, those that name methods or headers come
 * before those that do not.
 */
export class RouteIndex {
  /** `*.example.com` under `.example.com`. */
  private readonly hosts = new Map<string, HostRoutes>();
  private readonly tenants = new Map<string, readonly PublishedRoute[]>();

  /** @param reserved first segments under which nothing is found, whatever is published. */
  constructor(private readonly reserved: ReadonlySet<string> = USUAL_RESERVATIONS.always) {}

  /**
   * The route of a request, or undefined if there is none or upstreams might disagree which it is.
   * @param host an admitted `Host`.
   * @param path in normal form.
   * @param headers flat: name, value, name, value, …
   */
  find(host: string, path: string, method: string, headers: readonly string[]): PublishedRoute | undefined {
    const loose = looseForm(path);
    if (isReserved(loose, this.reserved)) return undefined;
    const name = hostName(host);
    const dot = name.indexOf('.');
    const found =
      this.hosts.get(name)?.find(path, loose) ??
      (dot > 0 ? this.hosts.get(name.slice(dot))?.find(path, loose) : undefined) ??
      this.hosts.get(ANY_HOST)?.find(path, loose);
    if (found === undefined || found === DISPUTED) return undefined;
    for (const route of found) if (route.takes(method, headers)) return route;
    return undefined;
  }

  /**
   * Puts a tenant's routes in the place of those that it had, between one request and the next.
   * @returns pairs of routes that take the same; of them the declared one is found, or that of the tenant that sorts first.
   */
  set(tenantId: string, routes: readonly PublishedRoute[]): Array<[PublishedRoute, PublishedRoute]> {
    const rivals: Array<[PublishedRoute, PublishedRoute]> = [];
    for (const route of this.tenants.get(tenantId) ?? []) this.remove(route);
    for (const route of routes) {
      for (const name of namesOf(route)) {
        let host = this.hosts.get(name);
        if (!host) this.hosts.set(name, (host = new HostRoutes()));
        const rival = host.add(route);
        if (rival) rivals.push([route, rival]);
      }
    }
    if (routes.length > 0) this.tenants.set(tenantId, routes);
    else this.tenants.delete(tenantId);
    return rivals;
  }

  /** Ids of other tenants that publish the same. */
  rivalsOf(route: PublishedRoute): string[] {
    const rivals = namesOf(route).flatMap((name) => this.hosts.get(name)?.rivalsOf(route) ?? []);
    return [...new Set(rivals.map(({ tenantId }) => tenantId))].sort();
  }

  routesOf(tenantId: string): readonly PublishedRoute[] {
    return this.tenants.get(tenantId) ?? [];
  }

  /** Ids of the services that published routes lead to; some more than once. */
  *services(): Iterable<string> {
    for (const routes of this.tenants.values()) for (const route of routes) yield* route.services;
  }

  private remove(route: PublishedRoute): void {
    for (const name of namesOf(route)) {
      const host = this.hosts.get(name);
      host?.remove(route);
      if (host?.empty) this.hosts.delete(name);
    }
  }
}

function namesOf({ hosts }: PublishedRoute): readonly string[] {
  return hosts?.map((host) => (host.startsWith('*.') ? host.slice(1) : host)) ?? [ANY_HOST];
}
