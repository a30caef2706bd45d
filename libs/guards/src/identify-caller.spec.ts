import type { GatewayError } from '#libs/errors';
import { PublishedRoute } from '#libs/publications';
import { ServedKey, ServedTenant, type TenantDirectory } from '#libs/tenants';
import { identifyVisitor } from './identify-caller';

const tenant = (id: string, suspended = false): ServedTenant =>
  new ServedTenant({ id, name: id, upstreamBaseUrl: 'http://a.test', allowedRoutes: [], suspended });
const acme = tenant('acme');
const keyOf = (tenantId: string, more = {}): ServedKey =>
  ServedKey.of({ id: 'k1', tenantId, name: 'k', prefix: 'gh', createdAt: '', enabled: true, ...more });

function visit(asksKey: boolean, key: ServedKey | undefined, owner: ServedTenant | undefined = acme) {
  const route = new PublishedRoute('acme', {
    name: 'a',
    path: '/a',
    backends: [{ service: '1' }],
    auth: { jwt: false, apiKey: asksKey },
  });
  const directory = {
    tenant: () => owner,
    byApiKey: () => key?.callerOf(key.tenantId === 'acme' ? acme : tenant(key.tenantId, true)),
  };
  const use = { apiKey: key && 'key', clientAddress: '127.0.0.1', method: 'GET', path: '/a/x' };
  try {
    return identifyVisitor(use, route, directory as unknown as TenantDirectory);
  } catch (error) {
    return (error as GatewayError).code;
  }
}

it('is one and the same anonymous caller where no key is asked for, whatever is sent', () => {
  expect(visit(false, undefined)).toBe(visit(false, keyOf('other')));
  expect(visit(false, undefined)).toMatchObject({ tenant: { id: 'acme' }, key: { id: 'anonymous' } });
});

it.each<[title: string, outcome: unknown, code: string]>([
  ['a suspended tenant', visit(false, undefined, tenant('acme', true)), 'tenant_suspended'],
  ['no key', visit(true, undefined), 'missing_api_key'],
  // Also of a suspended one: nothing is said about other tenants.
  ['a key of another tenant', visit(true, keyOf('other')), 'invalid_api_key'],
  ['a key for other routes', visit(true, keyOf('acme', { allowedRoutes: ['/b'] })), 'key_not_allowed'],
  ['a disabled key', visit(true, keyOf('acme', { enabled: false })), 'key_disabled'],
])('refuses %s', (_, outcome, code) => {
  expect(outcome).toBe(code);
});

it('is the holder of a key of the tenant, for routes as they are published', () => {
  expect(visit(true, keyOf('acme', { allowedRoutes: ['/a'] }))).toMatchObject({ key: { id: 'k1' } });
});
