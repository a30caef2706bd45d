/** Everything below it is routed by tenant. */
export const API_PREFIX = '/api';
/** Below it every service is published under its id. */
const SERVICE_PREFIX = '/proxy/';

/** Where a path below one of the two leads. */
export interface Destination {
  /** Undefined for the routes of the tenant itself. */
  readonly serviceId: string | undefined;
  /** What is left for the upstream: `/v1/users` of `/api/v1/users`; empty for a service's own address. */
  readonly path: string;
}

/**
 * Takes a normal path apart: `/api/v1/users` → `/v1/users` of the tenant, `/proxy/3/users` → `/users` of service 3.
 * Undefined for any other path, where tenants may have published something.
 */
export function destinationOf(path: string): Destination | undefined {
  if (path.startsWith('/api/')) return { serviceId: undefined, path: path.slice(API_PREFIX.length) };
  if (path === API_PREFIX) return { serviceId: undefined, path: '/' };
  if (!path.startsWith(SERVICE_PREFIX)) return undefined;
  const end = path.indexOf('/', SERVICE_PREFIX.length);
  const serviceId = path.slice(SERVICE_PREFIX.length, end < 0 ? undefined : end);
  if (serviceId === '') return undefined;
  // A service's own address is its target, without a slash that the target has not.
  return { serviceId, path: end < 0 ? '' : path.slice(end) };
}
