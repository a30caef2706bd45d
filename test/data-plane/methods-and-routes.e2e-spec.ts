import { startForwarding, type Forwarding } from '../support/forwarding';
import { metric, outcomeOf } from '../support/outcomes';
import { parseResponse, type RawResponse } from '../support/raw-request';

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding();
});

async function call(
  key: string,
  line: string,
  fields: Record<string, string | number> = {},
): Promise<RawResponse> {
  const client = await forwarding.send(key, line, { Connection: 'close', ...fields });
  await client.closed;
  return parseResponse(client.received());
}

describe('methods', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'REPORT'])(
    '%s passes',
    async (method) => {
      const upstream = await forwarding.upstream();
      expect((await call(upstream.key, `${method} /api/things/7`)).status).toBe(200);
      expect(upstream.last()).toMatchObject({ method, url: '/things/7' });
    },
  );

  it.each(['TRACE', 'CONNECT'])('%s does not', async (method) => {
    const upstream = await forwarding.upstream();
    const client = await forwarding.send(upstream.key, `${method} /api/x`, { Connection: 'close' });
    await client.closed;
    expect(client.received()).not.toMatch(/^HTTP\/1\.1 2/);
    expect(upstream.requests).toHaveLength(0);
  });
});

describe('routes', () => {
  const ROUTES = [
    { path: '/v1/users' },
    { path: '/v1/users/admins', methods: ['GET'] },
    { path: '/v1/reports', methods: ['GET', 'POST'] },
    { path: '/v1/reports', methods: ['DELETE'] },
    { path: '/v1/wild/*' },
  ];

  it.each([
    ['GET', '/v1/users', 200],
    ['GET', '/v1/users/', 200],
    ['DELETE', '/v1/users/7/keys/8', 200],
    ['GET', '/v1/users/admins/7', 200],
    ['HEAD', '/v1/users/admins', 200],
    ['POST', '/v1/users/admins', 403],
    ['GET', '/v1/reports/2024', 200],
    ['DELETE', '/v1/reports', 200],
    ['PUT', '/v1/reports', 403],
    ['GET', '/v1/wild/anything', 200],
    ['GET', '/v1', 403],
    ['GET', '/v1/usersandmore', 403],
    ['GET', '/v1/user', 403],
    ['GET', '/v2/users', 403],
    ['GET', '/', 403],
    ['GET', '', 403],
  ])('%s /api%s is answered %i', async (method, path, status) => {
    const upstream = await forwarding.upstream(undefined, { allowedRoutes: ROUTES });
    const response = await call(upstream.key, `${method} /api${path}`);
    expect(response.status).toBe(status);
    expect(upstream.requests.map(({ url }) => url)).toEqual(status === 200 ? [path] : []);
    if (status === 403) expect(JSON.parse(response.body)).toMatchObject({ code: 'route_not_allowed' });
  });

  it('a denial is counted and logged as policy', async () => {
    const upstream = await forwarding.upstream(undefined, { allowedRoutes: ROUTES });
    await call(upstream.key, 'GET /api/denied');
    const { access, refusal } = await outcomeOf(forwarding.gateway, '/api/denied');
    expect(access).toMatchObject({ status: 403, decision: 'route_not_allowed' });
    expect(refusal).toMatchObject({ category: 'policy', guard: 'route', decision: 'deny' });
    const labels = `tenantId="${String(access.tenantId)}"`;
    expect(await metric(forwarding.gateway, 'gateway_route_denials_total', labels)).toBe(1);
  });

  it.each(['/other', '/apix', '/API/x', '/favicon.ico', '/'])(
    'outside of /api there is nothing: %s',
    async (path) => {
      const upstream = await forwarding.upstream();
      const response = await call(upstream.key, `GET ${path}`);
      expect(response.status).toBe(404);
      expect(JSON.parse(response.body)).toMatchObject({ code: 'not_found' });
      expect(upstream.requests).toHaveLength(0);
    },
  );
});

describe('the path that is forwarded', () => {
  it.each([
    ['', '/v1/a/b/c', '/v1/a/b/c'],
    ['/base', '/v1/a', '/base/v1/a'],
    ['/base/', '/v1/a/', '/base/v1/a/'],
    ['/deep/base', '', '/deep/base/'],
    ['', '/a%20b/%C3%A9/a+b/a:b@c!$&()*,;=~', '/a%20b/%C3%A9/a+b/a:b@c!$&()*,;=~'],
    ['', '/very/' + 'long/'.repeat(200), '/very/' + 'long/'.repeat(200)],
  ])('below the base path "%s" of %s is %s', async (base, path, expected) => {
    const upstream = await forwarding.upstream();
    const key = await forwarding.keyFor(upstream.url + base);
    expect((await call(key, `GET /api${path}`)).status).toBe(200);
    expect(upstream.last().url).toBe(expected);
  });
});

describe('the query is forwarded untouched', () => {
  it.each([
    '',
    '?',
    '?a',
    '?a=',
    '?=b',
    '?a=1&b=2&a=3',
    '?b=2&a=1',
    '?a[]=1&a[]=2',
    '?q=a+b%20c%2Bd%26e%3Df%23g',
    '?q=%C3%A9%e9%zz',
    '?a=1&&b=2&',
    '?u=https://example.com/a/../b//c?d=e',
    '?q=%2e%2e%2f%00',
    '?a=1?b=2',
    `?${'x=y&'.repeat(1000)}`,
  ])('%s', async (query) => {
    const upstream = await forwarding.upstream();
    expect((await call(upstream.key, `GET /api/v1/search${query}`)).status).toBe(200);
    expect(upstream.last().url).toBe(`/v1/search${query}`);
  });
});

describe('the Host', () => {
  it('is the upstream’s; the client’s is passed as X-Forwarded-Host', async () => {
    const upstream = await forwarding.upstream();
    await call(upstream.key, 'GET /api/x', { Host: 'api.example.com:8080' });
    expect(upstream.last().headers).toMatchObject({
      host: `127.0.0.1:${upstream.port}`,
      'x-forwarded-host': 'api.example.com:8080',
      'x-forwarded-proto': 'http',
      'x-forwarded-for': '127.0.0.1',
    });
  });
});
