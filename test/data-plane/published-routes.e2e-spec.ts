import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { waitFor } from '../support/children';
import { startFakeIssuer, type FakeIssuer } from '../support/identity-provider';
import { createSigner } from '../support/token-signer';
import { startPublished, type PublishedSetup, type Publisher } from './published-setup';

let setup: PublishedSetup;
let acme: Publisher;
let issuer: FakeIssuer;
beforeAll(async () => {
  [setup, issuer] = await Promise.all([startPublished(), startFakeIssuer(createSigner())]);
  acme = await setup.publisher();
});
afterAll(() => issuer.stop());
beforeEach(() => void (acme.upstream.requests.length = 0));

const urls = ({ upstream }: Publisher): string[] => upstream.requests.map(({ url }) => url);

describe('a published route', () => {
  it('takes its path and everything below it, in whole segments', async () => {
    await acme.publish({ path: '/acme/prefect' });
    for (const path of [
      '/acme/prefect',
      '/acme/prefect/',
      '/acme/prefect/a%20b?x=%2F&y',
      '/acme//prefect/./z',
    ])
      expect([path, (await setup.get(path)).status]).toEqual([path, 200]);
    expect(urls(acme)).toEqual(
      ['/acme/prefect', '/acme/prefect/', '/acme/prefect/a%20b?x=%2F&y', '/acme/prefect/z'],
    ); // prettier-ignore
    for (const path of ['/', '/acme', '/acme/', '/acme/prefects', '/acme/prefect2/x', '/x/acme/prefect'])
      expect([path, await setup.get(path)]).toMatchObject([path, { status: 404, code: 'not_found' }]);
    expect(urls(acme)).toHaveLength(4);
  });

  it.each<[route: object, path: string, forwarded: string, prefix: string | undefined]>([
    [{ path: '/a/b', stripPrefix: true }, '/a/b/c?d=/a/b', '/c?d=/a/b', '/a/b'],
    [{ path: '/a/b', stripPrefix: true }, '/a/b', '/', '/a/b'],
    [{ path: '/a/b', stripPrefix: true }, '/a/b/', '/', '/a/b'],
    [{ path: '/a/b', stripPrefix: '/a' }, '/a/b/c', '/b/c', '/a'],
    [{ path: '/a/b', stripPrefix: true, addPrefix: '/v2' }, '/a/b/c', '/v2/c', '/a/b'],
    [{ path: '/a/b', addPrefix: '/v2/' }, '/a/b/c', '/v2/a/b/c', undefined],
    [{ path: '/a/b', stripPrefix: true, addPrefix: '/v2' }, '/a/b', '/v2', '/a/b'],
    [{ path: '/a/b', stripPrefix: false }, '/a/b/c', '/a/b/c', undefined],
    [{ path: '/', stripPrefix: true }, '/anything/else', '/anything/else', undefined],
    [{ path: '/a/b/*', stripPrefix: true }, '/a/b/%2e%2e/b/c', '/c', '/a/b'],
  ])('%j makes of %s %s', async (route, path, forwarded, prefix) => {
    await acme.publish(route);
    expect((await setup.get(path, { 'X-Forwarded-Prefix': '/forged' })).status).toBe(200);
    expect(urls(acme)).toEqual([forwarded]);
    expect(acme.upstream.last().headers['x-forwarded-prefix']).toBe(prefix);
  });

  it('is found by host before path, and by the longest path before anything else', async () => {
    const publish = (...routes: object[]): Promise<void> => acme.publish(...routes);
    const marked = (name: string, more: object): object => ({
      path: '/m',
      requestHeaders: { 'X-Taken': name },
      ...more,
    });
    await publish(
      marked('any', {}),
      marked('any-deep', { path: '/m/deep/er' }),
      marked('wildcard', { hosts: ['*.example.com'] }),
      marked('exact', { hosts: ['api.example.com', 'other.test'] }),
      marked('exact-deep', { hosts: ['api.example.com'], path: '/m/deep' }),
      marked('post', { methods: ['POST'] }),
      marked('header', { headers: { 'X-Canary': 'yes' } }),
    );
    const taken: Array<[host: string, path: string, name: string, headers?: object, method?: string]> = [
      ['gateway.test', '/m', 'any'],
      ['gateway.test', '/m/deep/er/x', 'any-deep'],
      ['gateway.test', '/m/deep/x', 'any'],
      ['api.example.com', '/m/x', 'exact'],
      ['API.Example.com:8080', '/m/x', 'exact'],
      ['api.example.com.', '/m/x', 'exact'],
      ['other.test', '/m/deep', 'exact'],
      ['api.example.com', '/m/deep/er', 'exact-deep'],
      ['www.example.com', '/m/deep/er', 'wildcard'],
      ['a.b.example.com', '/m', 'any'],
      ['example.com', '/m', 'any'],
      ['gateway.test', '/m', 'post', {}, 'POST'],
      ['gateway.test', '/m', 'post', { 'X-Canary': 'yes' }, 'POST'],
      ['gateway.test', '/m', 'header', { 'x-canary': 'yes' }],
      ['gateway.test', '/m', 'any', { 'X-Canary': 'no' }],
      ['www.example.com', '/m', 'wildcard', { 'X-Canary': 'yes' }],
    ];
    for (const [host, path, name, headers, method] of taken) {
      await setup.get(path, { Host: host, ...headers }, method);
      expect([host, path, acme.upstream.last().headers['x-taken']]).toEqual([host, path, name]);
    }
    expect(urls(acme)).toHaveLength(taken.length);
  });

  it('does not leave to shorter ones what it refuses itself', async () => {
    await acme.publish(
      { path: '/open' },
      { path: '/open/admin', methods: ['GET'], auth: { jwt: false, apiKey: true } },
    );
    expect(await setup.get('/open/admin/x', {}, 'DELETE')).toMatchObject({ status: 404 });
    expect(await setup.get('/open/admin/x')).toMatchObject({ status: 401 });
    expect(await setup.get('/open/ADMIN/x')).toMatchObject({ status: 404 });
    expect(await setup.get('/open/admin;x/y')).toMatchObject({ status: 404 });
    expect(urls(acme)).toEqual([]);
    expect(await setup.get('/open/x', {}, 'DELETE')).toMatchObject({ status: 200 });
  });

  it('sets and removes headers of requests and responses, whatever the client claims', async () => {
    const other = await setup.publisher((_request, response) => {
      response
        .writeHead(200, { Server: 'secret/1', 'X-Own': 'kept', 'Set-Cookie': ['a=1', 'b=2'] })
        .end('ok');
    });
    await other.publish({
      path: '/headers',
      requestHeaders: { 'X-User': 'gateway', Authorization: '' },
      responseHeaders: { Server: '', 'X-Frame-Options': 'DENY', 'Set-Cookie': 'c=3' },
    });
    const forged = { 'X-User': 'me', X_User: 'me', 'x-user': 'me', Authorization: 'Basic x', 'X-Mine': '1' };
    const answer = await setup.get('/headers', forged);
    expect(answer.headers).toMatchObject({
      'x-own': 'kept',
      'x-frame-options': 'DENY',
      'set-cookie': ['c=3'],
    });
    expect(answer.headers.server).toBeUndefined();
    const { headers, rawHeaders } = other.upstream.last();
    expect(headers).toMatchObject({ 'x-user': 'gateway', 'x-mine': '1', 'x-forwarded-for': '127.0.0.1' });
    expect(headers.authorization).toBeUndefined();
    expect(rawHeaders.filter((name) => /^x.user$/i.test(name))).toEqual(['X-User']);
  });

  it('takes WebSockets', async () => {
    const chat = await setup.publisher();
    const server = new WebSocketServer({ server: chat.upstream.server });
    server.on('connection', (socket, request) => socket.send(`hello ${request.url}`));
    await chat.publish({ path: '/chat', stripPrefix: true, responseHeaders: { 'X-Via': 'gateway' } });
    const client = new WebSocket(`${setup.gateway.url.replace('http', 'ws')}/chat/room?n=1`);
    const upgraded = once(client, 'upgrade') as Promise<[{ headers: Record<string, string> }]>;
    const [message] = (await once(client, 'message')) as [Buffer];
    expect(message.toString()).toBe('hello /room?n=1');
    expect((await upgraded)[0].headers['x-via']).toBe('gateway');
    client.close();
    await once(client, 'close');
    server.close();
  });

  it('answers preflights for the methods it takes', async () => {
    await acme.publish({ path: '/cors', methods: ['PUT'] });
    const ask = (method: string) =>
      setup.get('/cors', { Origin: 'https://page.test', 'Access-Control-Request-Method': method }, 'OPTIONS');
    expect(await ask('PUT')).toMatchObject({ status: 204 });
    expect(await ask('DELETE')).toMatchObject({ status: 404 });
    expect(urls(acme)).toEqual([]);
  });

  it('is named in the access log and in usage', async () => {
    await acme.publish({ path: '/logged' });
    await setup.get('/logged/x', { 'X-Request-Id': 'the-logged-one' });
    const line = (): unknown => setup.gateway.logs.find(({ requestId }) => requestId === 'the-logged-one');
    await waitFor('the access line', () => line() !== undefined);
    expect(line()).toMatchObject({
      tenantId: acme.id,
      serviceId: acme.service,
      route: '/logged',
      status: 200,
    });
    const usage = async (): Promise<string> =>
      JSON.stringify(
        (await setup.gateway.admin('GET', `/admin/tenants/${acme.id}/usage?groupBy=route,key`)).body,
      );
    await waitFor('usage of the route', async () => (await usage()).includes('/logged'));
    expect(await usage()).toContain('anonymous');
  });
});

describe('who may call', () => {
  it('holders of a key of its tenant, where it asks for one', async () => {
    await acme.publish({ path: '/keyed', auth: { jwt: false, apiKey: true } });
    const [other, expired, narrow, single] = await Promise.all([
      setup.tenant(),
      setup.key(acme.id, { expiresAt: '2099-01-01T00:00:00.000Z', enabled: false }),
      setup.key(acme.id, { allowedRoutes: ['/keyed/open'] }),
      setup.key(acme.id, { serviceId: acme.service }),
    ]);
    const as = (key: string, path = '/keyed/x') => setup.get(path, { 'X-API-Key': key });
    expect(await setup.get('/keyed')).toMatchObject({ status: 401, code: 'missing_api_key' });
    expect(await as('gh_live_nobody')).toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect(await as(other.key)).toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect(await as(expired.key)).toMatchObject({ status: 401, code: 'key_disabled' });
    expect(await as(narrow.key)).toMatchObject({ status: 403, code: 'key_not_allowed' });
    expect(urls(acme)).toEqual([]);
    expect(await as(narrow.key, '/keyed/open')).toMatchObject({ status: 200 });
    expect(await as(single.key)).toMatchObject({ status: 200 });
    expect(await as(acme.key)).toMatchObject({ status: 200 });
    expect(acme.upstream.last().headers['x-api-key']).toBeUndefined();
  });

  it('not those with a key of one service, where the route has others as well', async () => {
    const second = await setup.service(acme.id, acme.upstream.url);
    const backends = [{ service: acme.service }, { service: second }];
    await acme.publish({ path: '/two', backends, auth: { jwt: false, apiKey: true } });
    const { key } = await setup.key(acme.id, { serviceId: second });
    for (let i = 0; i < 4; i++)
      expect(await setup.get('/two', { 'X-API-Key': key })).toMatchObject({
        status: 403,
        code: 'key_not_allowed',
      });
  });

  it('holders of a token, where it asks for one, whatever its services ask for at their own address', async () => {
    const { id, key } = await setup.tenant();
    const idp = { issuer: issuer.issuer, jwksUri: issuer.jwksUri, audience: issuer.audience };
    expect((await setup.gateway.admin('PATCH', `/admin/tenants/${id}`, { idp })).status).toBe(200);
    const service = await setup.service(id, acme.upstream.url, { auth: { jwt: true } });
    const routes = [
      { name: 'a', path: '/token', auth: { jwt: true }, backends: [{ service }] },
      { name: 'b', path: '/no-token', backends: [{ service }] },
    ];
    expect((await setup.gateway.admin('PUT', `/admin/tenants/${id}/publication`, { routes })).status).toBe(
      200,
    );
    await waitFor('the route', async () => (await setup.get('/token')).status !== 404);
    expect(await setup.get('/token')).toMatchObject({ status: 401, code: 'missing_jwt' });
    expect(await setup.get('/token', { 'X-API-Key': key })).toMatchObject({
      status: 401,
      code: 'missing_jwt',
    });
    expect(await setup.get('/token', { Authorization: `Bearer ${issuer.sign()}` })).toMatchObject({
      status: 200,
    });
    expect(await setup.get('/no-token')).toMatchObject({ status: 200 });
  });

  it('nobody, of a suspended tenant or of one that is gone', async () => {
    const gone = await setup.publisher();
    await gone.publish({ path: '/gone' });
    expect((await setup.gateway.admin('POST', `/admin/tenants/${gone.id}/suspend`)).status).toBe(200);
    await waitFor('the suspension', async () => (await setup.get('/gone')).status === 403);
    expect(await setup.get('/gone')).toMatchObject({ code: 'tenant_suspended' });
    expect((await setup.gateway.admin('DELETE', `/admin/tenants/${gone.id}`)).status).toBe(204);
    await waitFor('the end', async () => (await setup.get('/gone')).status === 404);
    expect(gone.upstream.requests).toHaveLength(0);
  });
});

describe('limits', () => {
  it('of route, service and key are all taken, or none', async () => {
    const limited = await setup.publisher(undefined, {
      rateLimit: { windowSeconds: 3600, maxRequests: 100 },
    });
    const { key } = await setup.key(limited.id, { rateLimit: { windowSeconds: 3600, maxRequests: 50 } });
    await limited.publish({
      path: '/limited',
      auth: { jwt: false, apiKey: true },
      rateLimit: { windowSeconds: 3600, maxRequests: 2 },
    });
    const call = () => setup.get('/limited', { 'X-API-Key': key });
    const first = await call();
    expect(first.headers['ratelimit-policy']).toBe(
      '"tenant";q=1000000;w=1, "service";q=100;w=3600, "route";q=2;w=3600, "key";q=50;w=3600',
    );
    expect(first.headers.ratelimit).toMatch(/"service";r=99;.*"route";r=1;.*"key";r=49;/);
    expect(await call()).toMatchObject({ status: 200 });
    const refused = await call();
    expect(refused).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(refused.headers.ratelimit).toMatch(/"service";r=98;.*"route";r=0;.*"key";r=48;/);
    expect(limited.upstream.requests).toHaveLength(2);
  });
});

describe('what belongs to the gateway', () => {
  it.each([
    '/api',
    '/proxy',
    '/admin/x',
    '/metrics/x',
    '//admin',
    '/x/../admin',
    '/Admin',
    '/admin;x',
    '/.well-known/x',
    '/health',
  ])('is never answered by a tenant that publishes the root: %s', async (path) => {
    await acme.publish({ path: '/' });
    const { status } = await setup.get(path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(urls(acme)).toEqual([]);
  });
});
