import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import type { RouteRule, ServiceFields } from '#libs/tenants';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { rawAnswer, type RawAnswer } from '../support/raw-answer';
import { codeOf } from './service-setup';
import { startPublished, type PublishedSetup, type Publisher } from './published-setup';

let setup: PublishedSetup;
let upstream: TestUpstream;
let acme: Publisher;
let respond: () => Record<string, string | string[]> = () => ({});
let names = 0;
beforeAll(async () => {
  const answer = (_request: unknown, response: ServerResponse): void =>
    void response.writeHead(200, respond()).end('ok');
  setup = await startPublished();
  upstream = await startUpstream(answer);
  acme = await setup.publisher(answer);
});
afterAll(() => upstream.stop());
let sockets: WebSocketServer | undefined;
afterAll(() => {
  for (const socket of sockets?.clients ?? []) socket.terminate();
  sockets?.close();
});
beforeEach(() => {
  respond = () => ({});
  upstream.requests.length = 0;
  acme.upstream.requests.length = 0;
});

/** A key of a new tenant with these routes. */
const tenant = (routes: RouteRule[], base = ''): Promise<string> =>
  setup.gateway.addTenant({
    id: `shaped-${++names}`,
    upstreamBaseUrl: upstream.url + base,
    allowedRoutes: routes,
    rateLimit: { windowSeconds: 1, maxRequests: 1_000_000 },
  });
const get = (key: string, path: string, headers: Record<string, string> = {}): Promise<RawAnswer> =>
  rawAnswer(setup.gateway.url + path, { 'X-API-Key': key, ...headers });

describe('headers', () => {
  it('of requests are changed by a route of a tenant, with what is known of the request', async () => {
    const requestHeaders: RouteRule['requestHeaders'] = {
      'X-Who': '{tenant.id} {principal} {client.ip}',
      'X-Copy': '{header.X-In} {route}',
      'X-Gone': '',
      'X-Old': { rename: 'X-New' },
      'X-More': { add: 'second' },
      'X-Trace': '{request.id}',
    };
    const key = await tenant([{ path: '/v1', requestHeaders }]);
    const sent = {
      'X-In': 'in',
      'X-Gone': 'x',
      'X-Old': 'old',
      'X-New': 'forged',
      'X-More': 'first',
      'X-Request-Id': 'r-7',
      'X-Who': 'me',
    };
    expect((await get(key, '/api/v1/a', sent)).status).toBe(200);
    const { headers } = upstream.last();
    expect(headers).toMatchObject({
      'x-who': expect.stringMatching(/^shaped-\d+ \S+ 127\.0\.0\.1$/),
      'x-copy': 'in /v1',
      'x-new': 'old',
      'x-more': 'first, second',
      'x-trace': 'r-7',
    });
    expect(headers).not.toHaveProperty('x-gone');
    expect(headers).not.toHaveProperty('x-old');
  });

  it('of responses are changed by the service first, and last by the route that the client has met', async () => {
    const responseHeaders: RouteRule['responseHeaders'] = {
      'X-Order': { add: 'route' },
      'X-Asked': '{header.X-In}',
      Server: '',
    };
    const path = `/admin/tenants/${acme.id}/services/${acme.service}`;
    const service = {
      responseHeaders: { 'X-Order': { add: 'service' } },
      requestHeaders: { 'X-By': 'service' },
    };
    expect((await setup.gateway.admin('PATCH', path, service)).status).toBe(200);
    await acme.publish({ path: '/o', responseHeaders, requestHeaders: { 'X-By': 'route', 'X-In': '' } });
    respond = () => ({ Server: 'secret', 'X-Order': 'upstream' });
    const { headers } = await get(acme.key, '/o', { 'X-In': 'a b' });
    expect(headers).toMatchObject({ 'x-order': 'upstream, service, route', 'x-asked': 'a b' });
    expect(headers).not.toHaveProperty('server');
    expect(acme.upstream.last().headers).toMatchObject({ 'x-by': 'service' });
    expect(acme.upstream.last().headers).not.toHaveProperty('x-in');
    const direct = await get(acme.key, `/proxy/${acme.service}/x`);
    expect(direct.headers).toMatchObject({ 'x-order': 'upstream, service', server: 'secret' });
    const removed = await setup.gateway.admin('PATCH', path, { responseHeaders: null, requestHeaders: null });
    expect(removed.body).not.toHaveProperty('requestHeaders');
  });

  it('cannot be broken into by what clients say', async () => {
    const key = await tenant([{ path: '/', responseHeaders: { 'X-Echo': '{header.X-In}' } }]);
    const { headers } = await get(key, '/api/x', { 'X-In': 'a\u00ff%0d%0aSet-Cookie: x=1' });
    expect(headers['x-echo']).toBe('a%C3%BF%0d%0aSet-Cookie: x=1');
    expect(headers).not.toHaveProperty('set-cookie');
  });
});

describe('a rewritten path', () => {
  const paths = [{ from: '/users/{id}', to: '/people/{id}/profile' }];

  it.each<[rewrite: RouteRule['rewrite'], path: string, sent: string, prefix?: string]>([
    [{ stripPrefix: true }, '/v1/users/1?a=1', '/base/users/1?a=1', '/api/v1'],
    [{ stripPrefix: true, addPrefix: '/v9' }, '/v1/x/', '/base/v9/x/', '/api/v1'],
    [{ stripPrefix: true, paths }, '/v1/users/a%20b', '/base/people/a%20b/profile', '/api/v1'],
    [
      { query: { set: { tenant: '{tenant.id}' }, remove: ['debug'] } },
      '/v1?debug=1&x',
      '/base/v1?x&tenant=T',
    ],
  ])('%j makes of %s %s', async (rewrite, path, sent, ...prefix) => {
    const key = await tenant([{ path: '/v1', rewrite }], '/base/');
    expect((await get(key, `/api${path}`)).status).toBe(200);
    expect(upstream.last().url).toBe(sent.replace('=T', `=shaped-${names}`));
    expect(upstream.last().headers['x-forwarded-prefix']).toBe(prefix[0]);
    const asked = { method: 'GET', path: `/api${path}`, headers: { 'X-API-Key': key } };
    const { body } = await setup.gateway.admin('POST', '/admin/explain', asked);
    expect(body).toMatchObject({ upstreamUrl: upstream.url + upstream.last().url });
  });

  it('does not leave the base path, and what is put together is judged as any path', async () => {
    const key = await tenant(
      [{ path: '/', rewrite: { paths: [{ from: '/{a}/{b...}', to: '/x/{b...}' }] } }],
      '/base',
    );
    for (const path of ['/a/../../b', '/a/%2e%2e/b', '/a//b', '/a/b/..']) {
      const { status } = await get(key, `/api${path}`);
      if (status === 200) expect(upstream.last().url).toMatch(/^\/base\/(?!.*\.\.)/);
      else expect([400, 404]).toContain(status);
    }
  });

  it('is brought back in responses, for tenants and published routes alike', async () => {
    respond = () => ({
      Location: '/base/v9/people/7/profile?x',
      'Set-Cookie': ['a=1; Path=/base/v9; HttpOnly', 'b=2; Domain=127.0.0.1'],
    });
    const rewrite = { stripPrefix: true, addPrefix: '/v9', paths, responses: true };
    const key = await tenant([{ path: '/v1', rewrite }], '/base');
    expect((await get(key, '/api/v1/x')).headers).toMatchObject({
      location: '/api/v1/users/7?x',
      'set-cookie': ['a=1; Path=/api/v1; HttpOnly', 'b=2'],
    });
    respond = () => ({ Location: `${acme.upstream.url}/v9/people/7/profile` });
    await acme.publish({
      path: '/pub',
      stripPrefix: true,
      addPrefix: '/v9',
      rewrite: { paths, responses: true },
    });
    expect((await get(acme.key, '/pub/users/7')).headers).toMatchObject({ location: '/pub/users/7' });
    expect(acme.upstream.last().url).toBe('/v9/people/7/profile');
    expect(acme.upstream.last().headers['x-forwarded-prefix']).toBe('/pub');
  });
});

it('WebSockets get the same headers and path', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  sockets = server;
  await once(server, 'listening');
  let seen: { url?: string; headers: Record<string, unknown> } | undefined;
  server.on('connection', (socket, request) => {
    seen = request;
    socket.on('message', (data) => socket.send(data));
  });
  const { port } = server.address() as { port: number };
  const routes = [
    {
      path: '/ws',
      requestHeaders: { 'X-Ws': '{tenant.id}' },
      responseHeaders: { 'X-Via': 'gateway' },
      rewrite: { stripPrefix: true, query: { set: { a: '1' } } },
      compression: true,
      mirror: { url: upstream.url },
    },
  ];
  const id = `shaped-${++names}`;
  const key = await setup.gateway.addTenant({
    id,
    upstreamBaseUrl: `http://127.0.0.1:${port}`,
    allowedRoutes: routes,
  });
  const client = new WebSocket(`${setup.gateway.url.replace('http', 'ws')}/api/ws/room`, {
    headers: { 'X-API-Key': key },
  });
  const opened = once(client, 'open');
  const [answer] = (await once(client, 'upgrade')) as [{ headers: Record<string, string> }];
  expect(answer.headers).toMatchObject({ 'x-via': 'gateway' });
  await opened;
  client.send('hello');
  expect(String((await once(client, 'message'))[0])).toBe('hello');
  expect(seen?.url).toBe('/room?a=1');
  expect(seen?.headers).toMatchObject({ 'x-ws': id });
  // What happens on a WebSocket is nobody's to repeat.
  expect(upstream.requests).toHaveLength(0);
  client.terminate();
});

describe('the admin API', () => {
  it('refuses what cannot be meant, naming it, and stores nothing', async () => {
    const { gateway } = setup;
    await tenant([{ path: '/' }]);
    const at = `/admin/tenants/shaped-${names}`;
    const before = (await gateway.admin('GET', at)).body as unknown;
    const wrong: Array<[method: string, path: string, body: object, field: string]> = [
      ['PATCH', at, { compression: { level: 5 } }, 'compression.level'],
      ['POST', `${at}/routes`, { path: '/r', requestHeaders: { Host: 'x' } }, 'requestHeaders.Host'],
      ['POST', `${at}/routes`, { path: '/r', rewrite: { paths: [{ from: '/(a+)+', to: '/{b}' }] } }, 'rewrite.paths.0.to'],
      ['POST', `${at}/routes`, { path: '/r', mirror: { percent: 5 } }, 'mirror'],
      ['POST', `${at}/services`, { name: 's', targets: [{ url: upstream.url }], mirror: { url: 'ftp://x' } }, 'mirror.url'],
      ['PUT', `${at}/publication`, { routes: [{ name: 'r', path: '/r', backends: [{ service: '1' }], rewrite: { addPrefix: '/x' } }] }, 'routes.0.rewrite.addPrefix'],
    ]; // prettier-ignore
    for (const [method, path, body, field] of wrong) {
      const answer = await gateway.admin(method, path, body);
      expect([field, answer.status]).toEqual([field, 400]);
      expect(JSON.stringify(answer.body)).toContain(`"field":"${field}"`);
    }
    expect((await gateway.admin('GET', at)).body).toEqual(before);
  });

  it('shows what was said, and takes merge patches of it', async () => {
    const { gateway } = setup;
    const service: Partial<ServiceFields> = {
      requestHeaders: { 'X-A': 'a', 'X-B': { add: 'b' } },
      responseHeaders: { 'X-C': '' },
      compression: { minBytes: 10 },
      mirror: { url: upstream.url, percent: 5 },
    };
    const id = await setup.service(acme.id, upstream.url, service);
    const at = `/admin/tenants/${acme.id}/services/${id}`;
    expect((await gateway.admin('GET', at)).body).toMatchObject(service);
    const patch = { requestHeaders: { 'X-A': null }, compression: false, mirror: { percent: 6 } };
    const patched = await gateway.admin('PATCH', at, patch);
    expect(patched.body).toMatchObject({
      requestHeaders: { 'X-B': { add: 'b' } },
      compression: false,
      mirror: { url: upstream.url, percent: 6 },
    });
    expect((patched.body as { requestHeaders: object }).requestHeaders).not.toHaveProperty('X-A');
    const other = await setup.tenant();
    const foreign = await gateway.admin('GET', `/admin/tenants/${other.id}/services/${id}`);
    expect([foreign.status, codeOf({ body: JSON.stringify(foreign.body) })]).toEqual([
      404,
      'service_not_found',
    ]);
    expect((await gateway.admin('GET', at, undefined, { 'X-Admin-Token': 'x' })).status).toBe(401);
    const routes = [{ path: '/v1', rewrite: { stripPrefix: true }, compression: { algorithms: ['br'] } }];
    const list = await gateway.admin('PUT', `/admin/tenants/${acme.id}/routes`, { allowedRoutes: routes });
    expect(list.body).toEqual({ allowedRoutes: routes });
  });
});
