import { waitFor } from '../support/children';
import { ask, openHttp2 } from '../support/http2-client';
import { parseResponse } from '../support/raw-request';
import { startTlsForwarding } from '../support/tls-forwarding';
import type { Forwarding } from '../support/forwarding';

const GATEWAY = 1000;

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startTlsForwarding({ MAX_BODY_BYTES: String(GATEWAY), MAX_HEADER_BYTES: '4096' });
});

let tenants = 0;

async function setUp(tenant: object) {
  const id = `sized-${++tenants}`;
  const upstream = await forwarding.upstream(undefined, { id, ...tenant });
  const status = async (path: string, bytes: number, chunked = false): Promise<number> => {
    const fields: Record<string, string | number> = chunked
      ? { 'Transfer-Encoding': 'chunked' }
      : { 'Content-Length': bytes };
    const client = await forwarding.send(upstream.key, `POST ${path}`, { ...fields, Connection: 'close' });
    const body = 'x'.repeat(bytes);
    await client
      .send(chunked ? `${bytes.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body)
      .catch(() => undefined);
    await client.closed;
    return parseResponse(client.received()).status;
  };
  const made = async (path: string, body: object, method = 'POST') => {
    const answer = await forwarding.gateway.admin(method, `/admin/tenants/${id}/${path}`, body);
    expect(answer.status).toBeLessThan(300);
    return (answer.body as { id: string }).id;
  };
  return { id, upstream, status, made };
}

describe.each([
  ['by length', false],
  ['in chunks', true],
])('a body that comes %s', (_, chunked) => {
  it('is held to the bound of its tenant', async () => {
    const { status, upstream } = await setUp({ maxBodyBytes: 100 });
    expect(await status('/api/x', 100, chunked)).toBe(200);
    expect(await status('/api/x', 101, chunked)).toBe(413);
    expect(upstream.requests.filter(({ bodyBytes, aborted }) => bodyBytes > 100 && !aborted)).toEqual([]);
  });

  it('is held to the bound of its route or service in the place of the tenant’s, and never more than the gateway’s', async () => {
    const routes = [
      { path: '/big', maxBodyBytes: 5000 },
      { path: '/small', maxBodyBytes: 10 },
      { path: '/' },
    ];
    const { upstream, status, made } = await setUp({ maxBodyBytes: 100, allowedRoutes: routes });
    const targets = [{ url: upstream.url }];
    const service = await made('services', { name: 's', targets, auth: { jwt: false }, maxBodyBytes: 50 });
    const backends = [{ service }];
    const published = [
      { name: 'own', path: `/own-${service}`, backends, maxBodyBytes: 20 },
      { name: 'none', path: `/none-${service}`, backends },
    ];
    await made('publication', { routes: published }, 'PUT');
    await waitFor('published', async () => (await status(`/none-${service}`, 1)) === 200);
    for (const [path, bound] of [
      ['/api/big', GATEWAY],
      ['/api/small', 10],
      ['/api/other', 100],
      [`/proxy/${service}/x`, 50],
      [`/own-${service}/x`, 20],
      [`/none-${service}/x`, 50],
    ] as const) {
      expect([path, await status(path, bound, chunked)]).toEqual([path, 200]);
      expect([path, await status(path, bound + 1, chunked)]).toEqual([path, 413]);
    }
  });
});

describe('what is too large over HTTP/2', () => {
  it.each([
    ['a body', { 'content-length': 101 }, 'x'.repeat(101), 413],
    ['a body of unknown length', {}, 'x'.repeat(101), 413],
    ['a head', { 'x-large': 'x'.repeat(4200) }, undefined, 431],
    [
      'a head with many fields',
      Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`x-${i}`, '1'])),
      undefined,
      431,
    ],
  ] as Array<[string, object, string | undefined, number]>)(
    '%s is refused',
    async (_, fields, body, expected) => {
      const { upstream } = await setUp({ maxBodyBytes: 100 });
      const session = await openHttp2(forwarding.gateway.tlsPort);
      const method = body === undefined ? 'GET' : 'POST';
      const headers = { ':method': method, ':path': '/api/x', 'x-api-key': upstream.key, ...fields };
      const answer = await ask(session, headers, body);
      expect(answer).toMatchObject({
        status: expected,
        headers: { 'content-type': 'application/problem+json' },
      });
      session.destroy();
    },
  );

  it('a path is, too', async () => {
    // Longer than paths may be, and shorter than heads may be: with its own gateway, whose heads are larger.
    const roomy = await startTlsForwarding({ MAX_HEADER_BYTES: '65536' });
    const other = await openHttp2(roomy.gateway.tlsPort);
    expect((await ask(other, { ':path': `/api/${'x'.repeat(9000)}` })).status).toBe(414);
    other.destroy();
  });
});

it('refuses bounds that are none, naming the field', async () => {
  const { id } = await setUp({});
  const patch = (body: object) => forwarding.gateway.admin('PATCH', `/admin/tenants/${id}`, body);
  for (const maxBodyBytes of [0, -1, 1.5, '5'])
    expect(await patch({ maxBodyBytes })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'maxBodyBytes' }] },
    });
  const allowedRoutes = [{ path: '/', maxBodyBytes: 0 }];
  expect((await patch({ allowedRoutes })).body).toMatchObject({
    errors: [{ field: 'allowedRoutes.0.maxBodyBytes' }],
  });
  expect((await patch({ maxBodyBytes: 5 })).body).toMatchObject({ maxBodyBytes: 5 });
  expect((await patch({ maxBodyBytes: null })).body).not.toHaveProperty('maxBodyBytes');
});

it('answers a head that is too large with 431', async () => {
  const upstream = await forwarding.upstream();
  const client = await forwarding.send(upstream.key, 'GET /api/x', { 'X-Large': 'x'.repeat(5000) });
  await client.closed;
  expect(parseResponse(client.received())).toMatchObject({ status: 431, headers: { connection: 'close' } });
});
