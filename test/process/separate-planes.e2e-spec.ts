import { scratchFolder, waitFor } from '../support/children';
import { startProcess, type TestProcess } from '../support/process';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { ADMIN_TOKEN, admin, call, send } from '../support/traffic';

const METRICS_TOKEN = 'the-token-of-prometheus';

/** The planes as two processes on one data folder, as on a machine of one's own without Redis. */
describe('the planes as processes of their own', () => {
  let upstream: TestUpstream;
  let dataPlane: TestProcess;
  let controlPlane: TestProcess;

  beforeAll(async () => {
    const env = { DATA_DIR: scratchFolder('data'), ADMIN_TOKEN, METRICS_TOKEN };
    upstream = await startUpstream((request, response) => void response.end(request.url));
    [dataPlane, controlPlane] = await Promise.all([
      startProcess({ entry: 'dist/apps/data-plane/src/main.js', env }),
      startProcess({ entry: 'dist/apps/control-plane/src/main.js', env }),
    ]);
  }, 20_000);
  afterAll(() => upstream.stop());

  it('work together: what the one is told the other does, at once', async () => {
    const tenant = { id: 't', name: 't', upstreamBaseUrl: upstream.url, allowedRoutes: [{ path: '/v1' }] };
    expect((await admin(controlPlane, 'POST', '/admin/tenants', tenant)).status).toBe(201);
    const made = await admin(controlPlane, 'POST', '/admin/tenants/t/api-keys', { name: 'test' });
    const { id, key } = JSON.parse(made.body) as { id: string; key: string };
    await waitFor('service', async () => (await call(dataPlane, key, '/api/v1/x')).body === '/v1/x', 1000);
    expect((await call(dataPlane, key, '/api/v2')).status).toBe(403);

    await admin(controlPlane, 'POST', '/admin/tenants/t/suspend');
    await waitFor('suspension', async () => (await call(dataPlane, key, '/api/v1/x')).status === 403, 1000);
    await admin(controlPlane, 'POST', '/admin/tenants/t/resume');
    await waitFor('service', async () => (await call(dataPlane, key, '/api/v1/x')).status === 200, 1000);
    expect((await admin(controlPlane, 'DELETE', `/admin/tenants/t/api-keys/${id}`)).status).toBe(204);
    await waitFor(
      'the end of the key',
      async () => (await call(dataPlane, key, '/api/v1/x')).status === 401,
      1000,
    );
  });

  it('serve their own paths only, and both the probes', async () => {
    for (const path of ['/admin/health', '/admin/tenants', '/tenant', '/docs', '/dashboard']) {
      expect([path, (await admin({ adminUrl: dataPlane.url }, 'GET', path)).status]).toEqual([path, 404]);
    }
    expect(
      (await send(`${controlPlane.adminUrl}/api/v1/x`, { headers: { 'X-API-Key': 'any' } })).status,
    ).toBe(404);
    expect((await admin(controlPlane, 'GET', '/admin/health')).body).toBe(
      '{"status":"ok","plane":"control"}',
    );
    for (const url of [dataPlane.url, controlPlane.adminUrl]) {
      expect((await send(`${url}/livez`)).status).toBe(200);
      expect((await send(`${url}/readyz`)).status).toBe(200);
    }
  });

  it('show their own metrics, to the admin token only', async () => {
    for (const [plane, series] of [
      [{ adminUrl: dataPlane.url }, 'gateway_requests_total{tenantId="t",status="200"}'],
      [controlPlane, 'control_requests_total{'],
    ] as const) {
      expect((await send(`${plane.adminUrl}/metrics`)).status).toBe(401);
      expect((await admin(plane, 'GET', '/metrics', undefined, 'wrong')).status).toBe(401);
      expect((await admin(plane, 'GET', '/metrics')).body).toContain(series);
    }
  });

  it('show them to METRICS_TOKEN, which is good for nothing else', async () => {
    for (const adminUrl of [dataPlane.url, controlPlane.adminUrl])
      expect((await admin({ adminUrl }, 'GET', '/metrics', undefined, METRICS_TOKEN)).status).toBe(200);
    for (const [method, path] of [
      ['GET', '/admin/tenants'],
      ['POST', '/admin/tenants'],
      ['GET', '/services'],
      ['GET', '/admin/backup'],
    ] as const)
      expect([path, await admin(controlPlane, method, path, undefined, METRICS_TOKEN)]).toMatchObject([
        path,
        { status: 403, body: expect.stringContaining('admin_role_not_allowed') as string },
      ]);
    const who = await admin(controlPlane, 'GET', '/admin/whoami', undefined, METRICS_TOKEN);
    expect(JSON.parse(who.body)).toMatchObject({ name: 'METRICS_TOKEN', role: 'metrics' });
  });

  it('show them to tokens that may see them', async () => {
    const tokenOf = async (role: string, more: object = {}): Promise<string> => {
      const made = await admin(controlPlane, 'POST', '/admin/admin-tokens', { name: role, role, ...more });
      return (JSON.parse(made.body) as { token: string }).token;
    };
    const [metrics, tenant] = [await tokenOf('metrics'), await tokenOf('tenant', { tenantId: 't' })];
    for (const adminUrl of [dataPlane.url, controlPlane.adminUrl]) {
      expect((await admin({ adminUrl }, 'GET', '/metrics', undefined, metrics)).status).toBe(200);
      expect((await admin({ adminUrl }, 'GET', '/metrics', undefined, tenant)).status).toBe(403);
      expect((await admin({ adminUrl }, 'GET', '/metrics', undefined, `${metrics}x`)).status).toBe(401);
    }
  });

  it('end on SIGTERM with 0', async () => {
    expect(await Promise.all([dataPlane.stop(), controlPlane.stop()])).toEqual([0, 0]);
    expect([...dataPlane.otherOutput, ...controlPlane.otherOutput]).toEqual([]);
    expect(dataPlane.stderr() + controlPlane.stderr()).toBe('');
  });
});
