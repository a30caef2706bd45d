import { ADMIN_ROLES, type AdminRole } from '#libs/admin-tokens';
import { OPERATION_ROLES, mayDo } from '#apps/control-plane/src/edge/operation-roles';
import { startStage, tenantDocument, type Stage } from './stage';

/** Signing in is judged by what is sent with it. */
const PUBLIC = ['Health.live', 'Health.ready', 'Jwks.keys', 'Session.begin', 'Session.show', 'Session.end'];
/** Once let in, they go on for ever. */
const STREAMS = ['Overview.stream', 'Overview.streamMine'];
/** Nothing is called that: what an operation would destroy is not there. */
const NOBODY = 'nobody-00';

interface Operation {
  id: string;
  method: string;
  path: string;
  answers: string[];
}

describe('the table of roles', () => {
  let stage: Stage;
  let operations: Operation[];
  const tokens = new Map<AdminRole, string>();

  beforeAll(async () => {
    stage = await startStage({ env: { ALLOW_PRIVATE_UPSTREAMS: 'true' } });
    for (const id of ['acme', 'other']) await stage.call('POST', '/admin/tenants', tenantDocument(id));
    for (const role of ADMIN_ROLES) {
      const tenantId = role === 'tenant' ? 'acme' : undefined;
      const made = await stage.call('POST', '/admin/admin-tokens', { name: role, role, tenantId });
      tokens.set(role, (made.body as { token: string }).token);
    }
    const { paths } = (await stage.call('GET', '/docs/openapi.json')).body as {
      paths: Record<string, Record<string, { operationId: string; responses: object }>>;
    };
    operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId, responses }]) => ({
        id: operationId,
        method: method.toUpperCase(),
        path,
        answers: Object.keys(responses),
      })),
    );
  });
  afterAll(() => stage.close());

  it('has a line for every operation that is not public, and no other', () => {
    const known = operations.map(({ id }) => id).filter((id) => !PUBLIC.includes(id));
    expect(known.sort()).toEqual(Object.keys(OPERATION_ROLES).sort());
  });

  const asked = (path: string, tenant: string): string =>
    path.replace('{tenantId}', tenant).replace(/\{\w+\}/g, NOBODY);
  const call = (role: AdminRole, method: string, path: string) =>
    stage.call(method, path, undefined, { 'X-Admin-Token': tokens.get(role) ?? '' });

  const headOf = async (role: AdminRole, path: string): Promise<number> => {
    const enough = new AbortController();
    const headers = { 'X-Admin-Token': tokens.get(role) ?? '' };
    const { status } = await fetch(stage.url + path, { headers, signal: enough.signal });
    enough.abort();
    return status;
  };

  it.each(ADMIN_ROLES)('gives %s the answer that it says, at every operation', async (role) => {
    for (const { id, method, path, answers } of operations.filter((one) => !PUBLIC.includes(one.id))) {
      const tenant = role === 'tenant' ? 'acme' : NOBODY;
      if (STREAMS.includes(id) && mayDo(role, id)) {
        expect(await headOf(role, asked(path, tenant))).toBe(200);
        continue;
      }
      const { status, body } = await call(role, method, asked(path, tenant));
      const refused = (body as { code?: string } | undefined)?.code === 'admin_role_not_allowed';
      expect({ id, refused }).toEqual({ id, refused: !mayDo(role, id) });
      expect([id, answers]).toEqual([id, expect.arrayContaining([String(status)])]);
      expect([id, status]).not.toEqual([id, 401]);
    }
  });

  it('lets a tenant at nothing of another one, which is as good as not there', async () => {
    const ofTenants = operations.filter(({ id, path }) => mayDo('tenant', id) && path.includes('{tenantId}'));
    expect(ofTenants.length).toBeGreaterThan(15);
    for (const { id, method, path } of ofTenants) {
      const { status, body } = await call('tenant', method, asked(path, 'other'));
      expect([id, status, body]).toMatchObject([id, 404, { code: 'tenant_not_found' }]);
    }
    const asAcme = { 'X-Admin-Token': tokens.get('tenant') ?? '' };
    const made = await stage.call('POST', '/api-keys?tenant_id=other', { name: 'k' }, asAcme);
    expect(made.status).toBe(201);
    const listed = async (tenant: string): Promise<unknown[]> =>
      (await stage.call('GET', `/admin/tenants/${tenant}/api-keys`)).body.apiKeys as unknown[];
    expect([(await listed('acme')).length, (await listed('other')).length]).toEqual([1, 0]);
  });
});
