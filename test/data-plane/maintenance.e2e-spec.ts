import { createHash } from 'node:crypto';
import { waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { accessLines, metric } from '../support/outcomes';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { KINDS, StreamSetup } from './stream-setup';

const BYPASS = 'let-me-through-I-am-the-operator';
const bypassSha256 = createHash('sha256').update(BYPASS).digest('hex');

let gateway: TestGateway;
let upstream: TestUpstream;
let tenants = 0;
beforeAll(async () => {
  [gateway, upstream] = await Promise.all([startGateway({ TRUSTED_PROXIES: 'loopback' }), startUpstream()]);
});
afterAll(() => upstream.stop());

async function tenant(): Promise<{ id: string; key: string }> {
  const id = `tenant-${++tenants}`;
  return { id, key: await gateway.addTenant({ id, upstreamBaseUrl: upstream.url }) };
}

function get(path: string, headers: Record<string, string>, via = gateway): Promise<Response> {
  return fetch(`${via.url}${path}`, { headers });
}

const change = (id: string, maintenance: object | null) =>
  gateway.admin('PATCH', `/admin/tenants/${id}`, { maintenance });

describe('during the maintenance of a tenant', () => {
  it('its requests are refused with its message and when to come back, and those of others are not', async () => {
    const [acme, other] = [await tenant(), await tenant()];
    const maintenance = { message: 'Back at six.', retryAfterSeconds: 90, bypassSha256 };
    expect((await change(acme.id, maintenance)).body).toMatchObject({ maintenance });
    const refused = await get('/api/refused', { 'X-API-Key': acme.key });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '90']);
    expect(await refused.json()).toMatchObject({ code: 'maintenance', detail: 'Back at six.' });
    const line = await waitFor('an access line', () => accessLines(gateway, '/api/refused')[0]);
    expect(line).toMatchObject({ decision: 'maintenance', tenantId: acme.id });
    expect(await metric(gateway, 'gateway_requests_total', `tenantId="${acme.id}",status="503"`)).toBe(1);
    expect((await get('/api/x', { 'X-API-Key': other.key })).status).toBe(200);
    expect((await change(acme.id, null)).body).not.toHaveProperty('maintenance');
    expect((await get('/api/x', { 'X-API-Key': acme.key })).status).toBe(200);
  });

  it('operators are served by token and by address, and the upstream does not see the token', async () => {
    const { id, key } = await tenant();
    await change(id, { bypassSha256, allowedIps: ['203.0.113.0/24'] });
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await get('/api/x', { 'X-API-Key': key, ...headers })).status;
    expect(await status({ 'X-Maintenance-Bypass': BYPASS })).toBe(200);
    expect(upstream.last().headers).not.toHaveProperty('x-maintenance-bypass');
    expect(await status({ 'X-Forwarded-For': '203.0.113.9' })).toBe(200);
    expect(await status({ 'X-Forwarded-For': '203.0.114.9' })).toBe(503);
    for (const wrong of ['', `${BYPASS}x`, bypassSha256])
      expect(await status({ 'X-Maintenance-Bypass': wrong })).toBe(503);
  });

  it('is over by itself at its time', async () => {
    const { id, key } = await tenant();
    const until = new Date(Date.now() + 600).toISOString();
    await change(id, { until });
    const refused = await get('/api/x', { 'X-API-Key': key });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    await waitFor('the end', async () => (await get('/api/x', { 'X-API-Key': key })).status === 200);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(until));
  });

  it('of a service only that service is refused', async () => {
    const { id, key } = await tenant();
    const service = async (more: object): Promise<string> => {
      const body = { name: 's', targets: [{ url: upstream.url }], auth: { jwt: false }, ...more };
      return (await gateway.admin('POST', `/admin/tenants/${id}/services`, body)).body.id as string;
    };
    const [down, up] = [await service({ maintenance: {} }), await service({})];
    const status = async (path: string): Promise<number> => (await get(path, { 'X-API-Key': key })).status;
    expect(await Promise.all([status(`/proxy/${down}`), status(`/proxy/${up}`), status('/api/x')])).toEqual([
      503, 200, 200,
    ]);
    await gateway.admin('PATCH', `/admin/tenants/${id}/services/${down}`, { maintenance: null });
    expect(await status(`/proxy/${down}`)).toBe(200);
  });

  it('is explained', async () => {
    const { id, key } = await tenant();
    await change(id, { message: 'soon' });
    const question = { method: 'GET', path: '/api/x', headers: { 'X-API-Key': key } };
    const { body } = await gateway.admin('POST', '/admin/explain', question);
    expect(body).toMatchObject({ outcome: 'refuse', status: 503 });
    expect(body.judgements).toContainEqual(
      expect.objectContaining({
        guard: 'maintenance',
        verdict: 'refuse',
        code: 'maintenance',
        reason: 'soon',
      }),
    );
  });

  it.each([
    ['message', ''],
    ['until', 'tomorrow'],
    ['retryAfterSeconds', 0],
    ['allowedIps.0', ['10.0.0.0/33']],
    ['bypassSha256', 'secret'],
    ['forever', true],
  ])('a wrong %s is refused, and nothing stored', async (field, value) => {
    const { id, key } = await tenant();
    const answer = await change(id, { [field.split('.')[0] as string]: value });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: `maintenance.${field}` }] } });
    expect((await get('/api/x', { 'X-API-Key': key })).status).toBe(200);
  });
});

it('closes the streams that are open', async () => {
  const setup = await StreamSetup.start({});
  const acme = await setup.tenant();
  const own = await setup.both(acme);
  const others = await setup.both(await setup.tenant());
  await setup.gateway.admin('PATCH', `/admin/tenants/${acme.id}`, { maintenance: {} });
  await setup.expectClosed(own, 'maintenance');
  for (const stream of others) await stream.works();
  await setup.gateway.admin('PUT', '/admin/maintenance', {});
  await setup.expectClosed(others, 'maintenance');
  expect(KINDS).toHaveLength(own.length);
  await setup.stop();
});

describeRedis('the maintenance of the whole gateway', () => {
  let redis: TestRedis;
  let replicas: TestGateway[];
  beforeAll(async () => {
    redis = await startRedis();
    const env = { REDIS_URL: redis.url };
    replicas = await Promise.all([startGateway(env), startGateway(env)]);
  });
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.close()));
    await redis.stop();
  });

  it('begins and ends on all replicas, for everybody but operators, and is audited', async () => {
    const [one, other] = replicas as [TestGateway, TestGateway];
    const key = await one.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url });
    const statuses = (headers: Record<string, string>): Promise<number[]> =>
      Promise.all(replicas.map(async (replica) => (await get('/api/x', headers, replica)).status));
    const are = (status: number) => async (): Promise<boolean> =>
      (await statuses({ 'X-API-Key': key })).every((each) => each === status);
    await waitFor('served', are(200));
    expect((await one.admin('GET', '/admin/maintenance')).status).toBe(404);
    const put = await one.admin('PUT', '/admin/maintenance', { message: 'Moving.', bypassSha256 });
    expect(put).toMatchObject({ status: 200, body: { message: 'Moving.', bypassSha256 } });
    await waitFor('refused', are(503));
    // Also whoever has no key, for nobody is asked.
    expect(await statuses({})).toEqual([503, 503]);
    expect(await statuses({ 'X-API-Key': key, 'X-Maintenance-Bypass': BYPASS })).toEqual([200, 200]);
    expect((await other.admin('GET', '/admin/maintenance')).body).toMatchObject({ message: 'Moving.' });
    const question = { method: 'GET', path: '/api/x', headers: { 'X-API-Key': key } };
    expect((await other.admin('POST', '/admin/explain', question)).body).toMatchObject({ status: 503 });
    expect((await other.admin('DELETE', '/admin/maintenance', undefined, { 'If-Match': '"x"' })).status).toBe(
      412,
    );
    const version = put.headers.get('etag') as string;
    expect(
      (await other.admin('DELETE', '/admin/maintenance', undefined, { 'If-Match': version })).status,
    ).toBe(204);
    await waitFor('served again', are(200));
    expect((await other.admin('DELETE', '/admin/maintenance')).status).toBe(404);
    const actions = async (): Promise<string[]> =>
      ((await one.admin('GET', '/admin/audit')).body.entries as Array<{ action: string }>).map(
        ({ action }) => action,
      );
    await waitFor('audit entries', async () => (await actions()).includes('maintenance.stop'));
    expect(await actions()).toContain('maintenance.start');
  });

  it('is refused to strangers, and with fields that are none', async () => {
    const [one] = replicas as [TestGateway];
    for (const [method, body] of [['GET'], ['PUT', {}], ['DELETE']] as Array<[string, object?]>)
      expect((await one.admin(method, '/admin/maintenance', body, { 'X-Admin-Token': 'x' })).status).toBe(
        401,
      );
    const answer = await one.admin('PUT', '/admin/maintenance', { until: 'x', other: 1 });
    expect(answer).toMatchObject({ status: 400 });
    expect((await one.admin('PUT', '/admin/maintenance', { until: 'x' })).body).toMatchObject({
      errors: [{ field: 'until' }],
    });
    expect((await one.admin('GET', '/admin/maintenance')).status).toBe(404);
  });
});
