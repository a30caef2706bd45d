import { ADMIN_ROLES } from '#libs/admin-tokens';
import { mayDo } from '#apps/control-plane/src/edge/operation-roles';
import { openBrowser } from './browser';
import { callAs, furnish, type Furnished } from './portal-calls';
import { OWNER_TOKEN, startStage, type Stage } from './stage';

const GATEWAY_JWT_SECRET = 'kJ3f9Qw2Lx7Zp0Vt5Rb8Nc1Md4Hs6Gy-';
/** What would be asked for otherwise: who may not is refused before it is looked at, who may must send something. */
const BODIES: Readonly<Record<string, object>> = {
  'PortalKeys.create': { name: 'k' },
  'PortalKeys.change': { name: 'k' },
  'PortalKeys.rotate': { grace_seconds: 0 },
  'PortalServices.change': { name: 's' },
  'Registration.register': { name: 's', target_url: 'http://a.test' },
  'Pricing.price': { price_per_request: '0.1' },
  'ServiceTest.testMine': { path: '/' },
};
const STREAMS = ['Overview.streamMine'];
const NOBODY = 'nobody-00';

interface Operation {
  id: string;
  method: string;
  path: string;
  roles?: string[];
}

interface Session {
  role: string;
  adminRole: string | null;
  name: string | null;
  tenantId: string | null;
  tenantName: string | null;
  operations: string[];
}

describe('what a session says that it may do', () => {
  let stage: Stage;
  let acme: Furnished;
  let operations: Operation[];
  let address = 0;

  beforeAll(async () => {
    stage = await startStage({ env: { GATEWAY_JWT_SECRET, TRUSTED_PROXIES: 'loopback' } });
    acme = await furnish(stage, 'acme');
    const { paths } = (await stage.call('GET', '/docs/openapi.json')).body as {
      paths: Record<string, Record<string, { operationId: string; 'x-roles'?: string[] }>>;
    };
    operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId, 'x-roles': roles }]) => ({
        id: operationId,
        method: method.toUpperCase(),
        path,
        roles,
      })),
    );
  });
  afterAll(() => stage.close());

  /** Each comes from an address of its own, so that none is kept waiting for the others. */
  async function sessionOf(token: string): Promise<Session> {
    const headers = { 'X-Forwarded-For': `198.51.100.${(address += 1)}` };
    const answer = await openBrowser(stage).call('POST', '/dashboard/session', { token }, headers);
    expect(answer.status).toBe(200);
    return answer.body as Session;
  }

  it('is what its role may do, for every role of an admin token', async () => {
    expect(await sessionOf(OWNER_TOKEN)).toMatchObject({ role: 'owner', adminRole: 'owner', tenantId: null });
    for (const role of ADMIN_ROLES) {
      const tenantId = role === 'tenant' ? 'acme' : undefined;
      const made = await stage.call('POST', '/admin/admin-tokens', { name: `a ${role}`, role, tenantId });
      const session = await sessionOf((made.body as { token: string }).token);
      expect(session).toMatchObject({
        role: 'admin',
        adminRole: role,
        name: `a ${role}`,
        tenantId: tenantId ?? null,
        tenantName: tenantId ? 'Tenant acme' : null,
      });
      const allowed = operations.filter(({ id, roles }) => roles && mayDo(role, id)).map(({ id }) => id);
      expect(session.operations).toEqual(allowed.sort());
      // As the document says it.
      const documented = operations.filter(({ roles }) => roles?.includes(role)).map(({ id }) => id);
      expect(documented.sort()).toEqual(allowed);
    }
  });

  it('is what the guard lets in, for a key that manages, one that may read, and one of a consumer', async () => {
    const reader = await acme.keyWith({ expiresAt: '2099-01-01T00:00:00Z' });
    const found: Record<string, string[]> = {};
    for (const [role, { key }] of Object.entries({ tenant: acme.manager, reader, consumer: acme.consumer })) {
      const session = await sessionOf(key);
      expect(session).toMatchObject({ role, adminRole: null, name: null, tenantId: 'acme' });
      const call = callAs(stage, key);
      const allowed: string[] = [];
      for (const { id, method, path, roles } of operations) {
        if (!roles) continue;
        const asked = path.replace('{service_id}', acme.serviceId).replace(/\{\w+\}/g, NOBODY);
        // What would end the service that others are asked about.
        const spared = method === 'DELETE' ? asked.replace(`/${acme.serviceId}`, '/999') : asked;
        if (STREAMS.includes(id)) {
          if (session.operations.includes(id)) allowed.push(id);
          continue;
        }
        const { status, body } = await call(
          method,
          spared,
          method === 'GET' ? undefined : (BODIES[id] ?? {}),
        );
        const { code = '' } = (body ?? {}) as { code?: string };
        if (status !== 401 && code !== 'key_not_allowed') allowed.push(id);
      }
      expect({ role, allowed: allowed.sort() }).toEqual({ role, allowed: session.operations });
      found[role] = session.operations;
    }
    expect(found.tenant!.length).toBeGreaterThan(found.reader!.length);
    expect(found.reader).not.toContain('PortalKeys.create');
    expect(found.consumer).toEqual(['Me.show', 'Me.showKey', 'Usage.show']);
  });
});
