import { createHmac } from 'node:crypto';
import { curl } from '../support/curl';
import { startGateway, type TestGateway } from '../support/gateway';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { send } from '../support/traffic';
import { startUpstream, type TestUpstream } from '../support/upstream';

/** As its documentation writes it. */
const JWT_SECRET_KEY = 'your_secret_key';
const ORIGIN = 'http://localhost:3000';

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
function token(claims: object = {}, secret = JWT_SECRET_KEY, alg = 'HS256'): string {
  const now = Math.floor(Date.now() / 1000);
  const signed = `${encoded({ alg, typ: 'JWT' })}.${encoded({ sub: 'me', exp: now + 600, ...claims })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

describeRedis('TentaGate by its documented variables alone', () => {
  let redis: TestRedis;
  let users: TestUpstream;
  let orders: TestUpstream;
  let gateway: TestGateway;
  const get = (path: string, headers: Record<string, string> = {}) => send(gateway.url + path, { headers });
  const bearer = (text = token()): Record<string, string> => ({ Authorization: `Bearer ${text}` });

  beforeAll(async () => {
    [redis, users, orders] = await Promise.all([startRedis(), startUpstream(), startUpstream()]);
    gateway = await startGateway({
      NODE_ENV: 'development',
      JWT_SECRET_KEY,
      REDIS_URL: redis.url,
      ALLOWED_ORIGINS: `${ORIGIN},https://yourdomain.com`,
      BACKEND_SERVICES: JSON.stringify({ users: users.url, orders: `${orders.url}/base` }),
      TRUSTED_PROXIES: 'loopback',
      RATE_LIMIT_PER_IP: '40',
    });
  });
  afterAll(async () => {
    await gateway.close();
    await Promise.all([users.stop(), orders.stop(), redis.stop()]);
  });

  it('forwards /api/{service}/… to each of BACKEND_SERVICES', async () => {
    expect((await get('/api/users/42?x=1', bearer())).status).toBe(200);
    expect(users.last().url).toBe('/42?x=1');
    expect((await get('/api/orders/7', bearer())).status).toBe(200);
    expect(orders.last().url).toBe('/base/7');
    expect((await get('/api/users', bearer())).status).toBe(200);
  });

  it('keeps good answers for 60 seconds, each for whoever has asked', async () => {
    const me = bearer(token({ sub: 'me' }));
    const asked = users.requests.length;
    const [first, again] = [await get('/api/users/kept', me), await get('/api/users/kept', me)];
    expect([first.status, again.status, again.body]).toEqual([200, 200, first.body]);
    expect(again.headers['cache-status']).toMatch(/^gatehouse; hit; ttl=(?:60|5\d)$/);
    expect(users.requests.length).toBe(asked + 1);
    await get('/api/users/kept', bearer(token({ sub: 'somebody else' })));
    await send(`${gateway.url}/api/users/kept`, { method: 'POST', headers: me, body: {} });
    expect(users.requests.length).toBe(asked + 3);
  });

  it.each<[title: string, headers: () => Record<string, string>]>([
    ['no token', () => ({})],
    ['a token by another secret', () => bearer(token({}, 'another'))],
    ['a token that has expired', () => bearer(token({ exp: 1 }))],
    [
      'a token without a signature',
      () => bearer(`${token({}, '', 'none').split('.').slice(0, 2).join('.')}.`),
    ],
    ['an API key instead', () => ({ 'X-API-Key': 'gh_live_x' })],
  ])('answers 401 to %s', async (_, headers) => {
    const asked = users.requests.length;
    expect((await get('/api/users/1', headers())).status).toBe(401);
    expect(users.requests.length).toBe(asked);
  });

  it('lets pages of ALLOWED_ORIGINS read, and no others', async () => {
    const allowed = async (origin: string): Promise<unknown> =>
      (await get('/api/users/1', { ...bearer(), Origin: origin })).headers['access-control-allow-origin'];
    expect(await allowed(ORIGIN)).toBe(ORIGIN);
    expect(await allowed('https://yourdomain.com')).toBe('https://yourdomain.com');
    expect(await allowed('https://evil.test')).toBeUndefined();
    const preflight = await send(`${gateway.url}/api/users/1`, {
      method: 'OPTIONS',
      headers: { Origin: ORIGIN, 'Access-Control-Request-Method': 'GET' },
    });
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, ORIGIN]);
  });

  it('answers /health, and /metrics to Prometheus without a token', async () => {
    const health = await curl('curl http://localhost:8000/health', gateway);
    expect([health.status, JSON.parse(health.body)]).toEqual([
      200,
      { status: 'healthy', service: 'gatehouse' },
    ]);
    const metrics = await curl('curl http://localhost:8000/metrics', gateway);
    expect(metrics.status).toBe(200);
    expect(metrics.body).toMatch(/gateway_requests_total\{tenantId="backend-services",status="200"\} \d+/);
    expect((await get('/docs')).status).toBe(200);
    expect((await get('/stats')).status).toBe(404);
  });

  it('limits each client', async () => {
    const headers = { ...bearer(), 'X-Forwarded-For': '203.0.113.99' };
    const statuses = await Promise.all(Array.from({ length: 41 }, () => get('/api/users/1', headers)));
    expect(statuses.filter(({ status }) => status === 429)).toHaveLength(1);
  });

  it('stops asking a service that fails, until it has had a rest', async () => {
    const failing = await startUpstream((_, response) => void response.writeHead(503).end());
    const other = await startGateway({
      NODE_ENV: 'development',
      JWT_SECRET_KEY,
      BACKEND_SERVICES: JSON.stringify({ users: failing.url }),
    });
    const codes: string[] = [];
    for (let i = 0; i < 8; i++) {
      const { body } = await send(`${other.url}/api/users/${i}`, { headers: bearer() });
      codes.push(body === '' ? 'passed on' : (JSON.parse(body) as { code: string }).code);
    }
    expect(codes).toEqual([...Array<string>(5).fill('passed on'), ...Array<string>(3).fill('circuit_open')]);
    expect(failing.requests).toHaveLength(5);
    await other.close();
    await failing.stop();
  });

  it('leaves the rest of /api to tenants and their keys', async () => {
    const key = await gateway.addTenant({
      id: 'acme',
      upstreamBaseUrl: orders.url,
      allowedRoutes: [{ path: '/' }],
    });
    expect((await get('/api/unknown/x')).status).toBe(401);
    expect((await get('/api/other/x', { 'X-API-Key': key })).status).toBe(200);
    expect(orders.last().url).toBe('/other/x');
    // What a backend has is its own, whoever asks.
    expect((await get('/api/users/x', { 'X-API-Key': key })).status).toBe(401);
    const routes = [{ name: 'r', path: '/api/mine', backends: [{ service: '1' }] }];
    const refused = await gateway.admin('PUT', '/admin/tenants/acme/publication', { routes });
    expect([refused.status, refused.body.errors[0].field]).toEqual([400, 'routes.0.path']);
  });

  it('is declared like everything else', async () => {
    const { body } = await gateway.admin('GET', '/admin/tenants/backend-services/publication');
    expect(body.routes).toMatchObject([
      { name: 'users', path: '/api/users', stripPrefix: true, auth: { jwt: true } },
      { name: 'orders', path: '/api/orders', stripPrefix: true, auth: { jwt: true } },
    ]);
    const { body: services } = await gateway.admin('GET', '/admin/tenants/backend-services/services');
    expect(JSON.stringify(services)).toContain(users.url);
    const question = { method: 'GET', path: '/api/users/1', headers: bearer() };
    const explained = await gateway.admin('POST', '/admin/explain', question);
    expect(explained.body).toMatchObject({
      outcome: 'forward',
      tenantId: 'backend-services',
      upstreamUrl: `${users.url}/1`,
    });
  });
});
