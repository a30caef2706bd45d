import { once } from 'node:events';
import type { RouteRule } from '#libs/tenants';
import { waitFor } from '../support/children';
import { openConnection, requestHead } from '../support/connection';
import { send, type Outcome } from '../support/traffic';
import { startUpstream, type TestUpstream, type UpstreamHandler } from '../support/upstream';
import { startPublished, type PublishedSetup, type Publisher } from './published-setup';

let setup: PublishedSetup;
let acme: Publisher;
let shadow: TestUpstream;
let answer: UpstreamHandler;
let names = 0;
beforeAll(async () => {
  setup = await startPublished();
  acme = await setup.publisher();
  shadow = await startUpstream((...args) => answer(...args));
});
afterAll(() => shadow.stop());
beforeEach(() => {
  answer = (_request, response) => void response.writeHead(500).end('shadow');
  shadow.requests.length = 0;
  acme.upstream.requests.length = 0;
});

/** A key of a new tenant in front of acme's upstream, with this mirror. */
const mirrored = (mirror: object, more: Partial<RouteRule> = {}, base = ''): Promise<string> =>
  setup.gateway.addTenant({
    id: `mirrored-${++names}`,
    upstreamBaseUrl: acme.upstream.url + base,
    allowedRoutes: [{ path: '/', mirror: { url: `${shadow.url}/shadow`, ...mirror }, ...more }],
    rateLimit: { windowSeconds: 1, maxRequests: 1_000_000 },
  });
const call = (
  key: string,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: unknown } = {},
): Promise<Outcome> =>
  send(`${setup.gateway.url}/api${path}`, { ...options, headers: { 'X-API-Key': key, ...options.headers } });

/** Values of the mirrors' metrics, by name and label. */
async function counted(): Promise<Record<string, number>> {
  const { body } = await setup.gateway.admin('GET', '/metrics');
  const lines = (body as string).matchAll(/^gateway_mirror_(\w+?)(?:_total)?(?:\{\w+="(\w+)"\})? (\d+)$/gm);
  return Object.fromEntries(
    [...lines].map(([, name, label, value]) => [label ?? name, Number(value)]),
  ) as Record<string, number>;
}

const quiet = (): Promise<unknown> =>
  waitFor('all copies to be over', async () => (await counted()).inflight === 0);

it('gets the request as its upstream gets it, marked, without credentials, below its own base path', async () => {
  const key = await mirrored(
    { headers: { 'X-Env': 'shadow {tenant.id}', 'X-Secret': '' } },
    { rewrite: { addPrefix: '/v2' }, requestHeaders: { 'X-Tenant': '{tenant.id}' } },
    '/base',
  );
  const headers = {
    Authorization: 'Bearer secret',
    Cookie: 'session=secret',
    'X-Secret': 'x',
    'X-Gateway-Mirror': 'forged',
    'X-Request-Id': 'r-9',
  };
  const got = await call(key, '/a?b=1', { headers });
  expect(got).toMatchObject({ status: 200 });
  await waitFor('the copy', () => shadow.requests.length === 1);
  const copy = shadow.last();
  expect(copy).toMatchObject({ method: 'GET', url: '/shadow/v2/a?b=1' });
  expect(copy.headers).toMatchObject({
    host: new URL(shadow.url).host,
    'x-gateway-mirror': 'true',
    'x-env': `shadow mirrored-${names}`,
    'x-tenant': `mirrored-${names}`,
    'x-request-id': 'r-9',
  });
  for (const name of ['authorization', 'cookie', 'x-api-key', 'x-secret'])
    expect(copy.headers).not.toHaveProperty(name);
  expect(acme.upstream.last()).toMatchObject({ url: '/base/v2/a?b=1' });
  expect(acme.upstream.last().headers).toMatchObject({ authorization: 'Bearer secret' });
  expect(acme.upstream.last().headers).not.toHaveProperty('x-gateway-mirror');
});

it('carries credentials where it is told to', async () => {
  const key = await mirrored({ credentials: true });
  await call(key, '/', { headers: { Authorization: 'Bearer x', Cookie: 'a=1' } });
  await waitFor('the copy', () => shadow.requests.length === 1);
  expect(shadow.last().headers).toMatchObject({ authorization: 'Bearer x', cookie: 'a=1' });
});

it('gets safe methods only, unless it names others; then with their bodies', async () => {
  const [plain, named] = [await mirrored({}), await mirrored({ methods: ['POST'], maxBodyBytes: 100 })];
  const body = { text: 'a body' };
  await call(plain, '/1', { method: 'POST', body });
  await call(named, '/2');
  await call(named, '/3', { method: 'POST', body: { text: 'x'.repeat(200) } });
  await call(named, '/4', { method: 'POST', body });
  await waitFor('the copy', () => shadow.requests.length === 1);
  await shadow.last().ended;
  expect(shadow.last()).toMatchObject({ method: 'POST', url: '/shadow/4', bodyText: JSON.stringify(body) });
  await quiet();
  expect(shadow.requests).toHaveLength(1);
  expect(acme.upstream.requests.map(({ url }) => url)).toEqual(['/1', '/2', '/3', '/4']);
  expect(await counted()).toMatchObject({ too_large: expect.any(Number) });
});

it('keeps a chunked body up to its cap, and sends no half of one', async () => {
  const key = await mirrored({ methods: ['POST'], maxBodyBytes: 8 });
  const post = async (chunks: string[], whole: boolean): Promise<void> => {
    const client = await openConnection(setup.gateway.port);
    const fields = { 'X-API-Key': key, 'Transfer-Encoding': 'chunked' };
    await client.send(requestHead('POST /api/x', fields));
    await client.send(chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join(''));
    await waitFor('the upstream', () => acme.upstream.requests.length === 1);
    if (whole) {
      await client.send('0\r\n\r\n');
      await client.until('\r\n\r\n');
    }
    client.destroy();
    await acme.upstream.last().ended;
    acme.upstream.requests.length = 0;
  };
  await post(['12345', '6789'], true);
  await post(['1234'], false);
  await quiet();
  expect(shadow.requests).toHaveLength(0);
  expect(await counted()).toMatchObject({ incomplete: 1 });
  await post(['1234', '5678'], true);
  await waitFor('the copy', () => shadow.requests.length === 1);
  await shadow.last().ended;
  expect(shadow.last()).toMatchObject({ bodyText: '12345678', headers: { 'content-length': '8' } });
});

it('keeps nobody waiting, and what becomes of it nobody sees', async () => {
  const before = await counted();
  let gone: Promise<unknown> | undefined;
  answer = (request) => void (gone = once(request.socket, 'close'));
  const hanging = await mirrored({ timeoutMs: 150 });
  expect(await call(hanging, '/hangs')).toMatchObject({ status: 200 });
  await waitFor('the copy to be given up', async () => (await counted()).failed === (before.failed ?? 0) + 1);
  await gone;
  const refused = await mirrored({ url: 'http://127.0.0.1:1' });
  expect(await call(refused, '/refused')).toMatchObject({ status: 200 });
  await waitFor('the failure', async () => (await counted()).failed === (before.failed ?? 0) + 2);
  answer = (_request, response) => void response.writeHead(503).end();
  expect(await call(await mirrored({}), '/answers')).toMatchObject({ status: 200 });
  await waitFor('the answer', async () => (await counted())['5xx'] === (before['5xx'] ?? 0) + 1);
  const lines = setup.gateway.logs.filter(({ msg, path }) => msg === 'request' && path === '/api/answers');
  expect(lines).toMatchObject([{ status: 200, mirrored: true }]);
  expect(await counted()).toMatchObject({ inflight: 0 });
});

it('is left in peace after failing too often, and the log says so once', async () => {
  const key = await mirrored({ url: 'http://127.0.0.1:2' });
  const before = await counted();
  for (let i = 0; i < 12; i++) {
    expect((await call(key, '/x')).status).toBe(200);
    await quiet();
  }
  const after = await counted();
  expect((after.failed ?? 0) - (before.failed ?? 0)).toBe(10);
  expect((after.paused ?? 0) - (before.paused ?? 0)).toBe(2);
  expect(setup.gateway.logs.filter(({ mirror }) => mirror === 'http://127.0.0.1:2')).toHaveLength(1);
});

it('may be a service of the tenant, of a published route or of another service, but never somebody else’s', async () => {
  const second = await setup.service(acme.id, `${shadow.url}/second`);
  await acme.publish({ path: '/m', mirror: { service: second } });
  expect((await setup.get('/m/x')).status).toBe(200);
  await waitFor('the copy', () => shadow.requests.length === 1);
  expect(shadow.last().url).toBe('/second/m/x');
  const main = await setup.service(acme.id, acme.upstream.url, { mirror: { service: second } });
  const direct = await send(`${setup.gateway.url}/proxy/${main}/y`, { headers: { 'X-API-Key': acme.key } });
  expect(direct.status).toBe(200);
  await waitFor('the copy', () => shadow.requests.length === 2);
  expect(shadow.last().url).toBe('/second/y');

  const other = await setup.publisher();
  await expect(other.publish({ path: '/o', mirror: { service: second } })).rejects.toThrow(/mirror\.service/);
  const stolen = await setup.service(other.id, other.upstream.url, { mirror: { service: second } });
  const { status } = await send(`${setup.gateway.url}/proxy/${stolen}`, {
    headers: { 'X-API-Key': other.key },
  });
  expect(status).toBe(200);
  await quiet();
  expect(shadow.requests).toHaveLength(2);
  expect(await counted()).toMatchObject({ no_target: 1 });
});

it.each([
  ['all of it', { maxBodyBytes: 1000 }, 'hello'],
  ['its beginning', { maxBodyBytes: 3, oversize: 'unsigned' as const }, 'hello world'],
])('gets a body of which %s was read to be signed', async (_, signing, text) => {
  const key = await setup.gateway.addTenant({
    id: `mirrored-${++names}`,
    upstreamBaseUrl: acme.upstream.url,
    allowedRoutes: [{ path: '/', mirror: { url: shadow.url, methods: ['POST'] } }],
    signatureKeys: { ours: { secret: 'the-secret-of-the-tests-of-mirrors' } },
    signing: { key: 'ours', ...signing },
  });
  const client = await openConnection(setup.gateway.port);
  const fields = { 'X-API-Key': key, 'Transfer-Encoding': 'chunked', Connection: 'close' };
  const chunk = (part: string): string => `${part.length.toString(16)}\r\n${part}\r\n`;
  await client.send(requestHead('POST /api/signed', fields));
  for (const part of [text.slice(0, 4), text.slice(4), '']) await client.send(chunk(part));
  await client.closed;
  await waitFor('the copy', () => shadow.requests.length === 1);
  await quiet();
  for (const { requests } of [acme.upstream, shadow]) expect(requests[0]?.bodyText).toBe(text);
  expect(shadow.requests).toHaveLength(1);
});
