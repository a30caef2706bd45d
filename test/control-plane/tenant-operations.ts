import { tenantDocument } from './stage';

/** Every operation on one tenant, below `/admin/tenants/{id}`, with a body that it accepts. */
export const TENANT_OPERATIONS: Array<{ method: string; path: string; body?: Record<string, unknown> }> = [
  { method: 'GET', path: '' },
  { method: 'PUT', path: '', body: tenantDocument('acme') },
  { method: 'PATCH', path: '', body: { name: 'x' } },
  { method: 'DELETE', path: '' },
  { method: 'POST', path: '/suspend' },
  { method: 'POST', path: '/resume' },
  { method: 'GET', path: '/usage' },
  { method: 'GET', path: '/routes' },
  { method: 'POST', path: '/routes', body: { path: '/new' } },
  { method: 'PUT', path: '/routes', body: { allowedRoutes: [] } },
  { method: 'DELETE', path: '/routes?path=/x' },
  { method: 'GET', path: '/cache' },
  { method: 'POST', path: '/cache/purge', body: { everything: true } },
  { method: 'GET', path: '/api-keys' },
  { method: 'POST', path: '/api-keys', body: { name: 'x' } },
  { method: 'DELETE', path: '/api-keys/x' },
];
