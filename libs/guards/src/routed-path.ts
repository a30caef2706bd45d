import { GatewayError } from '#libs/errors';

/** Everything below it is routed by tenant. */
export const API_PREFIX = '/api';

/**
 * The part of a normal path that tenants' routes are written in: `/api/v1/users` → `/v1/users`.
 * @throws GatewayError not_found outside `/api`
 */
export function routedPath(path: string): string {
  if (path === API_PREFIX) return '/';
  if (path.startsWith('/api/')) return path.slice(API_PREFIX.length);
  throw new GatewayError('not_found');
}
