import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { startBlackhole, type Blackhole } from '../support/blackhole';
import { startUpstream, type TestUpstream, type UpstreamHandler } from '../support/upstream';
import { codeOf, startServices, type ServiceSetup } from './service-setup';

let setup: ServiceSetup;
let blackhole: Blackhole;
let tenant: { id: string; key: string };
const upstreams: TestUpstream[] = [];
beforeAll(async () => {
  [setup, blackhole] = await Promise.all([startServices(), startBlackhole()]);
  tenant = await setup.tenant();
});
afterAll(() => Promise.all([blackhole.stop(), ...upstreams.map((upstream) => upstream.stop())]));

async function upstreamWith(handler?: UpstreamHandler): Promise<TestUpstream> {
  const upstream = await startUpstream(handler);
  upstreams.push(upstream);
  return upstream;
}

/** A service of the tenant with an upstream of its own, and a key that opens it only. */
async function published(path = '', handler?: UpstreamHandler) {
  const upstream = await upstreamWith(handler);
  const id = await setup.service(tenant.id, upstream.url + path);
  const { key } = await setup.key(tenant.id, { serviceId: id });
  return { upstream, id, key, url: `/proxy/${id}` };
}

describe('a service', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'gets %s with query, headers and body as they were sent, and without the key',
    async (method) => {
      const { upstream, key, url } = await published('/base');
      const body = ['GET', 'HEAD', 'OPTIONS'].includes(method) ? undefined : '{"a": "ä"}';
      const response = await fetch(`${setup.gateway.url}${url}/a%20b/c?x=1&x=%2F&y`, {
        method,
        headers: { 'X-API-Key': key, 'X-Mine': 'kept', Cookie: 'c=1', 'Content-Type': 'text/odd' },
        body,
      });
      expect(response.status).toBe(200);
      const seen = upstream.last();
      expect(seen).toMatchObject({
        method,
        url: '/base/a%20b/c?x=1&x=%2F&y',
        bodyText: body ?? '',
        headers: {
          'x-mine': 'kept',
          cookie: 'c=1',
          'content-type': 'text/odd',
          host: `127.0.0.1:${upstream.port}`,
        },
      });
      expect(seen.rawHeaders.join()).not.toContain(key);
    },
  );

  it.each([
    ['/get/', '', '/get/'],
    ['/get/', '?a=b', '/get/?a=b'],
    ['/get/', '/x', '/get/x'],
    ['/get/', '/', '/get/'],
    ['/get', '', '/get'],
    ['/get', '/', '/get/'],
    ['/get', '/x', '/get/x'],
    ['', '', '/'],
  ])('with the target …%s is asked at /proxy/{id}%s for %s', async (target, below, asked) => {
    const { upstream, key, url } = await published(target);
    expect((await setup.send(key, `GET ${url}${below}`)).status).toBe(200);
    expect(upstream.last().url).toBe(asked);
  });

  it('refuses methods that it is not offered', async () => {
    const { upstream, key, url } = await published();
    expect((await setup.send(key, `PROPFIND ${url}`)).status).toBe(405);
    expect(upstream.requests).toHaveLength(0);
  });

  it.each([200, 204, 301, 304, 404, 418, 500, 503])('answers with its own %d, unchanged', async (status) => {
    const { key, url } = await published('', (_request, response) => {
      response.writeHead(status, { 'X-Own': 'yes', 'Set-Cookie': ['a=1', 'b=2'], Location: '/elsewhere' });
      response.end(status === 204 || status === 304 ? undefined : Buffer.from([0, 255, 10, 128]));
    });
    const response = await fetch(setup.gateway.url + url, {
      headers: { 'X-API-Key': key },
      redirect: 'manual',
    });
    expect(response.status).toBe(status);
    expect(response.headers.get('x-own')).toBe('yes');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(response.headers.get('location')).toBe('/elsewhere');
    const body = [...new Uint8Array(await response.arrayBuffer())];
    expect(body).toEqual(status === 204 || status === 304 ? [] : [0, 255, 10, 128]);
  });

  it.each([
    ['/get', '', '/get'],
    ['/get', '?x=1', '/get?x=1'],
    ['/get', '/', '/get/'],
    ['/get/', '/x', '/get/x'],
    ['', '', '/'],
    ['', '/', '/'],
    ['/get', '/a//b', '/get/a/b'],
    ['/get', '/a/../b', '/get/b'],
  ])('at %s%s is asked for %s', async (path, rest, expected) => {
    const { upstream, key, url } = await published(path);
    expect((await setup.send(key, `GET ${url}${rest}`)).status).toBe(200);
    expect(upstream.requests.map((request) => request.url)).toEqual([expected]);
  });

  it('shares its requests out by the weights of its targets', async () => {
    const [heavy, light] = [await upstreamWith(), await upstreamWith()];
    const id = await setup.service(tenant.id, [{ url: heavy.url, weight: 3 }, { url: light.url }]);
    for (let i = 0; i < 12; i++) expect((await setup.send(tenant.key, `GET /proxy/${id}`)).status).toBe(200);
    expect([heavy.requests.length, light.requests.length]).toEqual([9, 3]);
  });

  it('answers 502 when it cannot be reached, and 504 when it does not answer in time', async () => {
    const gone = await setup.service(tenant.id, 'http://127.0.0.1:1');
    const unreachable = await setup.send(tenant.key, `GET /proxy/${gone}`);
    expect([unreachable.status, codeOf(unreachable)]).toEqual([502, 'upstream_unreachable']);
    const url = `http://127.0.0.1:${blackhole.port}`;
    const silent = await setup.service(tenant.id, url, { timeouts: { connectMs: 200 } });
    const late = await setup.send(tenant.key, `GET /proxy/${silent}`);
    expect([late.status, codeOf(late)]).toEqual([504, 'upstream_timeout']);
  });

  it('is moved while it is in use', async () => {
    const { upstream, id, key, url } = await published();
    const next = await upstreamWith();
    expect((await setup.send(key, `GET ${url}`)).status).toBe(200);
    const moved = await setup.gateway.admin('PATCH', `/admin/tenants/${tenant.id}/services/${id}`, {
      targets: [{ url: next.url }],
    });
    expect(moved.status).toBe(200);
    expect((await setup.send(key, `GET ${url}/moved`)).status).toBe(200);
    expect([upstream.requests.length, next.requests.length]).toEqual([1, 1]);
  });

  it('takes WebSockets', async () => {
    const { upstream, key, url } = await published();
    const server = new WebSocketServer({ server: upstream.server });
    server.on('connection', (socket) =>
      socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`)),
    );
    const address = setup.gateway.url.replace('http', 'ws') + url;
    const client = new WebSocket(`${address}/chat?room=1`, { headers: { 'X-API-Key': key } });
    await once(client, 'open');
    client.send('hello');
    const [message] = (await once(client, 'message')) as [Buffer];
    expect(message.toString()).toBe('echo hello');
    client.close();
    await once(client, 'close');

    const stranger = await published();
    const refused = new WebSocket(address, { headers: { 'X-API-Key': stranger.key } });
    const [, response] = (await once(refused, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(403);
    refused.on('error', () => undefined).terminate();
    server.close();
  });
});

describe('a key', () => {
  it('opens the service that it is for, and nothing else of its tenant', async () => {
    const [mine, sibling] = [await published(), await published()];
    expect((await setup.send(mine.key, `GET ${mine.url}`)).status).toBe(200);
    const foreign = await setup.send(mine.key, `GET ${sibling.url}/x`);
    expect([foreign.status, codeOf(foreign)]).toEqual([403, 'key_not_allowed']);
    const route = await setup.send(mine.key, 'GET /api/x');
    expect([route.status, codeOf(route)]).toEqual([403, 'key_not_allowed']);
    expect(sibling.upstream.requests).toHaveLength(0);
  });

  it('of the tenant opens all of its services, and those of nobody else', async () => {
    const { url, upstream, key } = await published();
    expect((await setup.send(tenant.key, `GET ${url}`)).status).toBe(200);
    const other = await setup.tenant();
    const theirs = await setup.service(other.id, upstream.url);
    for (const [credential, path] of [
      [other.key, url],
      [tenant.key, `/proxy/${theirs}`],
      [key, `/proxy/${theirs}`],
      [tenant.key, '/proxy/999999'],
    ] as const) {
      const answer = await setup.send(credential, `GET ${path}`);
      expect([path, answer.status, codeOf(answer)]).toEqual([path, 404, 'service_not_found']);
    }
    expect(upstream.requests).toHaveLength(1);
  });

  it.each(['', 'wrong', `gh_live_${'A'.repeat(49)}`])('is needed: %j is none', async (key) => {
    const { url, upstream } = await published();
    const answer = await setup.send(key, `GET ${url}`);
    expect(answer.status).toBe(401);
    expect(answer.headers).toHaveProperty('www-authenticate');
    expect(upstream.requests).toHaveLength(0);
  });

  it('is refused with its service: a removed one is no more', async () => {
    const { id, key, url } = await published();
    expect((await setup.send(key, `GET ${url}`)).status).toBe(200);
    await setup.gateway.admin('DELETE', `/admin/tenants/${tenant.id}/services/${id}`);
    expect((await setup.send(key, `GET ${url}`)).status).toBe(401);
    expect((await setup.send(tenant.key, `GET ${url}`)).status).toBe(404);
  });

  it.each([
    ['/public', '/base/public'],
    ['/public/x?y=../secret', '/base/public/x?y=../secret'],
    ['//public//x', '/base/public/x'],
    ['/secret/../public/x', '/base/public/x'],
    ['/%70ublic/x', '/base/public/x'],
    ['', 403],
    ['/', 403],
    ['/secret', 403],
    ['/publicity', 403],
    ['/PUBLIC', 403],
    ['/public/../secret', 403],
    ['/public/%2e%2e/secret', 403],
    ['/public/.%2E/secret', 403],
    ['//public/..//secret', 403],
    ['/public/..;/secret', 400],
    ['/public/..%2fsecret', 400],
    ['/public/..%5csecret', 400],
    ['/public%2f..%2fsecret', 400],
    ['/public/%252e%252e/secret', 400],
    ['/..', 404],
    ['/../', 404],
    ['/../../api/public', 403],
    ['/../999999/public', 404],
    [';x/public', 404],
    ['%2fpublic', 400],
  ])('with allowed routes, at %s: %s', async (rest, expected) => {
    const { upstream, id, url } = await published('/base');
    const { key } = await setup.key(tenant.id, { serviceId: id, allowedRoutes: ['/public'] });
    const { status } = await setup.send(key, `GET ${url}${rest}`);
    const forwarded = upstream.requests.map((request) => request.url);
    expect({ status, forwarded }).toEqual(
      typeof expected === 'string'
        ? { status: 200, forwarded: [expected] }
        : { status: expected, forwarded: [] },
    );
  });

  it('with allowed methods may not use others, and GET includes HEAD', async () => {
    const { upstream, id, url } = await published();
    const { key } = await setup.key(tenant.id, { serviceId: id, allowedMethods: ['GET'] });
    for (const [method, status] of [
      ['GET', 200],
      ['HEAD', 200],
      ['POST', 403],
      ['DELETE', 403],
    ] as const) {
      const fields = { 'X-HTTP-Method-Override': 'GET' };
      expect([method, (await setup.send(key, `${method} ${url}`, fields)).status]).toEqual([method, status]);
    }
    expect(upstream.requests.map(({ method }) => method)).toEqual(['GET', 'HEAD']);
  });
});
