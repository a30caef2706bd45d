import { waitFor } from '../support/children';
import { OWNER_TOKEN, startStage, tenantDocument, type Stage } from './stage';

describe('what is counted and logged of the control plane', () => {
  let stage: Stage;
  beforeEach(async () => void (stage = await startStage()));
  afterEach(() => stage.close());

  const metrics = async (): Promise<string> => (await stage.call('GET', '/metrics')).text;
  const adminLine = async (requestId: string | null): Promise<Record<string, unknown>> => {
    const fits = (line: Record<string, unknown>): boolean =>
      line.category === 'admin' && line.requestId === requestId;
    await waitFor('the line in the log', () => stage.lines().some(fits));
    const lines = stage.lines().filter(fits);
    expect(lines).toHaveLength(1);
    return lines[0] ?? {};
  };

  it('counts requests by route pattern and status, with their latency', async () => {
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    for (const id of ['acme', 'acme', 'nobody']) await stage.call('GET', `/admin/tenants/${id}`);
    await stage.call('GET', '/admin/tenants/acme', undefined, { 'X-Admin-Token': 'wrong' });
    for (const path of ['/nowhere/1', '/nowhere/2', '/admin/tenants/%zz']) await stage.call('GET', path);
    await stage.call('PUT', '/admin/tenants');
    const text = await metrics();
    expect(text).toContain('control_requests_total{endpoint="POST /admin/tenants",status="201"} 1\n');
    expect(text).toContain(
      'control_requests_total{endpoint="GET /admin/tenants/:tenantId",status="200"} 2\n',
    );
    expect(text).toContain(
      'control_requests_total{endpoint="GET /admin/tenants/:tenantId",status="404"} 1\n',
    );
    expect(text).toContain(
      'control_requests_total{endpoint="GET /admin/tenants/:tenantId",status="401"} 1\n',
    );
    expect(text).toContain('control_requests_total{endpoint="unmatched",status="404"} 2\n');
    expect(text).toContain('control_requests_total{endpoint="unmatched",status="400"} 1\n');
    expect(text).toContain('control_requests_total{endpoint="unmatched",status="405"} 1\n');
    expect(text).toContain('control_latency_ms_count{endpoint="GET /admin/tenants/:tenantId"} 4\n');
    expect(text).toMatch(/^control_errors_total 0$/m);
    expect(text).not.toContain('nowhere');
  });

  it('counts changes that were made, not those that were refused', async () => {
    const path = '/admin/tenants/acme';
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    await stage.call('POST', '/admin/tenants', { nonsense: true });
    await stage.call('PATCH', path, { name: 'x' }, { 'X-Admin-Token': 'wrong' });
    await stage.call('PATCH', path, { name: 'x' });
    await stage.call('PUT', path, tenantDocument('acme'));
    await stage.call('POST', `${path}/suspend`);
    await stage.call('POST', `${path}/resume`);
    await stage.call('POST', `${path}/routes`, { path: '/x' });
    await stage.call('PUT', `${path}/routes`, { allowedRoutes: [{ path: '/y' }] });
    await stage.call('DELETE', `${path}/routes?path=/y`);
    const { id } = (await stage.call('POST', `${path}/api-keys`, { name: 'k' })).body as { id: string };
    await stage.call('DELETE', `${path}/api-keys/${id}`);
    await stage.call('DELETE', path);
    await stage.call('DELETE', path);
    const mutations = [
      ...(await metrics()).matchAll(/^control_mutations_total\{action="([^"]+)"\} (\d+)$/gm),
    ];
    expect(Object.fromEntries(mutations.map(([, action, count]) => [action, Number(count)]))).toEqual({
      'tenant.create': 1,
      'tenant.update': 2,
      'tenant.suspend': 1,
      'tenant.resume': 1,
      'tenant.delete': 1,
      'route.create': 1,
      'route.replace': 1,
      'route.delete': 1,
      'api_key.create': 1,
      'api_key.revoke': 1,
    });
  });

  it('logs each request once: what, whose, by whom, with which outcome', async () => {
    const created = await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    expect(await adminLine(created.headers.get('x-request-id'))).toMatchObject({
      level: 'info',
      action: 'tenant.create',
      tenantId: 'acme',
      actor: 'owner',
      decision: 'allow',
      status: 201,
      ip: '127.0.0.1',
      durationMs: expect.any(Number) as number,
    });
    const headers = { 'X-Request-Id': 'chosen-by-the-caller', 'X-Admin-Token': 'wrong' };
    const refused = await stage.call('DELETE', '/admin/tenants/acme', undefined, headers);
    expect(refused.headers.get('x-request-id')).toBe('chosen-by-the-caller');
    const line = await adminLine('chosen-by-the-caller');
    expect(line).toMatchObject({
      level: 'warn',
      action: 'tenant.delete',
      decision: 'admin_unauthorized',
      status: 401,
    });
    expect(line).not.toHaveProperty('actor');
    const read = await stage.call('GET', '/admin/tenants/acme');
    expect(await adminLine(read.headers.get('x-request-id'))).toMatchObject({
      action: 'GET /admin/tenants/:tenantId',
    });
  });

  it('logs the address of the client behind trusted proxies, and not what others claim', async () => {
    const proxied = await startStage({ env: { TRUSTED_PROXIES: 'loopback' } });
    for (const [asked, address] of [
      [proxied, '203.0.113.7'],
      [stage, '127.0.0.1'],
    ] as const) {
      await asked.call('GET', '/admin/health', undefined, {
        'X-Forwarded-For': '203.0.113.7',
        'X-Request-Id': 'r1',
      });
      const line = await waitFor('the line', () => asked.lines().find(({ requestId }) => requestId === 'r1'));
      expect(line.ip).toBe(address);
    }
    await proxied.close();
  });

  it('does not take any text for a request id', async () => {
    for (const id of ['', 'a b', 'x'.repeat(129), '{"a":1}']) {
      const answer = await stage.call('GET', '/admin/health', undefined, { 'X-Request-Id': id });
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('logs no credential: not the admin token, not an API key, not what a refused caller sent', async () => {
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    const { key } = (await stage.call('POST', '/admin/tenants/acme/api-keys', { name: 'k' })).body as {
      key: string;
    };
    await stage.call('POST', '/admin/explain', {
      method: 'GET',
      path: '/api/v1?token=in-the-query',
      headers: { 'X-API-Key': key, Authorization: 'Bearer a-users-token' },
    });
    await stage.call('GET', '/admin/tenants', undefined, { 'X-Admin-Token': 'guessed-token' });
    await stage.call('GET', '/admin/tenants?secret=in-the-query', undefined, {
      Authorization: 'Bearer guessed-bearer',
    });
    const { headers } = await stage.call('GET', '/admin/health');
    await adminLine(headers.get('x-request-id'));
    const logged = JSON.stringify(stage.lines());
    for (const secret of [
      OWNER_TOKEN,
      key,
      'a-users-token',
      'guessed-token',
      'guessed-bearer',
      'in-the-query',
    ]) {
      expect(logged).not.toContain(secret);
    }
  });

  it('logs a failure of its own with its cause, answers 500 without it, and counts it', async () => {
    stage.store.documents.indexPage = () => Promise.reject(new Error('the disk is on fire'));
    const answer = await stage.call('GET', '/admin/tenants');
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal_error' } });
    expect(answer.text).not.toContain('fire');
    expect(JSON.stringify(stage.lines())).toContain('the disk is on fire');
    expect(await metrics()).toMatch(/^control_errors_total 1$/m);
  });
});
