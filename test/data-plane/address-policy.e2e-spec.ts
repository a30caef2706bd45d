import { lookup } from 'node:dns/promises';
import { hostname } from 'node:os';
import { AddressPolicy } from '#libs/tenants';
import { scratchFolder } from '../support/children';
import { openConnection, requestHead } from '../support/connection';
import { startGateway, writeTenant, type TestGateway } from '../support/gateway';
import { parseResponse } from '../support/raw-request';
import { describeRedis, startRedis } from '../support/redis';
import { rawUpstream, type RawUpstream } from '../support/upstream';

/** Link-local and metadata addresses as they can be written in a URL. */
const METADATA = [
  'http://169.254.169.254', 'http://2852039166', 'http://0xa9fea9fe', 'http://0251.0376.0251.0376', 'http://169.254.43518',
  'http://169.254.169.254.', 'http://%31%36%39.254.169.254', 'http://１６９。254。169。254', 'http://[::ffff:169.254.169.254]',
  'http://[::ffff:a9fe:a9fe]', 'http://[::169.254.169.254]', 'http://[::ffff:0:a9fe:a9fe]', 'http://[64:ff9b::a9fe:a9fe]',
  'http://[2002:a9fe:a9fe::1]', 'http://[fe80::1]', 'http://[fd00:ec2::254]', 'http://100.100.100.200', 'http://168.63.129.16',
  'http://0.0.0.0', 'http://0', 'http://[::]', 'http://[::ffff:0:0]', 'http://224.0.0.1', 'http://255.255.255.255',
]; // prettier-ignore
const PRIVATE = [
  'http://127.0.0.1', 'http://127.1', 'http://2130706433', 'http://0x7f000001', 'http://0177.1', 'http://localhost', 'http://LocalHost.',
  'http://x.localhost', 'http://[::1]', 'http://[::ffff:127.0.0.1]', 'http://[::127.0.0.1]', 'http://[64:ff9b::7f00:1]', 'http://10.0.0.1',
  'http://172.16.0.1', 'http://192.168.1.1', 'http://100.64.0.1', 'http://[fc00::1]', 'http://[fec0::1]',
]; // prettier-ignore
const ROUTES = [{ path: '/' }];

/** Sends a request, which the gateway answers and closes. */
async function ask(
  gateway: TestGateway,
  key: string,
  target = '/api/x',
  fields: Record<string, string> = {},
) {
  const client = await openConnection(gateway.port);
  await client.send(requestHead(`GET ${target}`, { 'X-API-Key': key, Connection: 'close', ...fields }));
  await client.closed;
  return parseResponse(client.received());
}

/** The refusal of an address says nothing that the client could learn about the network behind the gateway from. */
async function expectRefusal(gateway: TestGateway, key: string): Promise<void> {
  const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
  for (const fields of [undefined, upgrade]) {
    const { status, body } = await ask(gateway, key, '/api/x', fields);
    const { requestId, ...problem } = JSON.parse(body) as Record<string, unknown>;
    expect(problem).toEqual({
      type: 'urn:gatehouse:error:upstream_not_permitted',
      title: 'The upstream address is not permitted',
      status: 502,
      code: 'upstream_not_permitted',
    });
    expect(status).toBe(502);
    // The log says why.
    const refusal = gateway.logs.find((line) => line.msg === 'refused' && line.requestId === requestId);
    expect(refusal).toMatchObject({
      reason: 'upstream_not_permitted',
      cause: expect.stringMatching(/ is (?:in a|the metadata)/),
    });
  }
}

let upstream: RawUpstream;
beforeAll(async () => void (upstream = await rawUpstream()));
afterEach(() => void (upstream.connections.length = 0));
afterAll(() => upstream.stop());

describe.each([
  ['private upstreams are not allowed', 'false', [...METADATA, ...PRIVATE]],
  ['private upstreams are allowed', 'true', METADATA],
])('where %s', (_, allowed, refused) => {
  let gateway: TestGateway;
  beforeAll(async () => void (gateway = await startGateway({ ALLOW_PRIVATE_UPSTREAMS: allowed })));
  const tenant = {
    id: 'acme',
    name: 'ACME',
    allowedRoutes: ROUTES,
    upstreamBaseUrl: 'http://203.0.113.1.example',
  };
  const idp = { issuer: 'https://issuer.test', audience: 'api.test' };
  const fieldsOf = ({ body }: { body: { errors: Array<{ field: string }> } }): string[] =>
    body.errors.map(({ field }) => field);

  it.each(refused)('no tenant is stored with %s', async (url) => {
    const upstreamUrl = await gateway.admin('POST', '/admin/tenants', {
      ...tenant,
      upstreamBaseUrl: `${url}/base`,
    });
    expect([upstreamUrl.status, fieldsOf(upstreamUrl)]).toEqual([400, ['upstreamBaseUrl']]);
    const withKeys = { ...tenant, idp: { ...idp, jwksUri: `${url}:8080/jwks` } };
    const jwksUri = await gateway.admin('POST', '/admin/tenants', withKeys);
    expect([jwksUri.status, fieldsOf(jwksUri)]).toEqual([400, ['idp.jwksUri']]);
    expect((await gateway.admin('GET', '/admin/tenants/acme')).status).toBe(404);
  });

  it('none gets there by a change either', async () => {
    await gateway.addTenant({ ...tenant, id: 'changing' });
    const change = { upstreamBaseUrl: refused[0] };
    const changed = await gateway.admin('PATCH', '/admin/tenants/changing', change, { 'If-Match': '*' });
    expect(changed.status).toBe(400);
    const after = await gateway.admin('GET', '/admin/tenants/changing');
    expect(after.body).toMatchObject({ upstreamBaseUrl: tenant.upstreamBaseUrl });
  });
});

it('a tenant from a time when private upstreams were allowed is refused when it is connected to', async () => {
  const DATA_DIR = scratchFolder('data');
  const before = await startGateway({ DATA_DIR, ALLOW_PRIVATE_UPSTREAMS: 'true' });
  const hosts = ['127.0.0.1', '127.1', '2130706433', 'localhost', 'x.localhost', '[::ffff:127.0.0.1]'];
  const keys = await Promise.all(
    hosts.map((host, i) =>
      before.addTenant({ id: `tenant-${i}`, upstreamBaseUrl: `http://${host}:${upstream.port}` }),
    ),
  );
  expect((await ask(before, keys[0]!)).status).toBe(200);
  await before.close();
  expect(upstream.connections.splice(0)).toHaveLength(1);

  const after = await startGateway({ DATA_DIR, ALLOW_PRIVATE_UPSTREAMS: 'false' });
  for (const key of keys) await expectRefusal(after, key);
  expect(upstream.connections).toEqual([]);
});

describeRedis('a tenant written by hand', () => {
  it('is refused when it is connected to, whatever way its address is written', async () => {
    const redis = await startRedis();
    const gateway = await startGateway({ REDIS_URL: redis.url, ALLOW_PRIVATE_UPSTREAMS: 'true' });
    for (const [i, url] of METADATA.entries()) {
      const tenant = {
        id: `t${i}`,
        name: 'x',
        upstreamBaseUrl: `${url}:${upstream.port}`,
        allowedRoutes: ROUTES,
      };
      await writeTenant(redis, `t${i}`, tenant, `key-${i}`);
      await expectRefusal(gateway, `key-${i}`);
    }
    expect(upstream.connections).toEqual([]);
  });

  it('is refused by its name when that resolves to a forbidden address', async () => {
    const redis = await startRedis();
    const gateway = await startGateway({ REDIS_URL: redis.url, ALLOW_PRIVATE_UPSTREAMS: 'false' });
    for (const name of ['localhost', 'LOCALHOST.', ...(await privateNames())]) {
      const upstreamBaseUrl = `http://${name}:${upstream.port}`;
      await writeTenant(
        redis,
        'named',
        { id: 'named', name: 'x', upstreamBaseUrl, allowedRoutes: ROUTES },
        name,
      );
      await expectRefusal(gateway, name);
    }
    expect(upstream.connections).toEqual([]);
  });
});

/** What this machine calls itself, if that leads to private addresses only: a name that has to be resolved. */
async function privateNames(): Promise<string[]> {
  const found = await lookup(hostname(), { all: true }).catch(() => []);
  const policy = new AddressPolicy(false);
  const isPrivate = found.length > 0 && found.every(({ address }) => policy.objection(address) !== undefined);
  return isPrivate ? [hostname()] : [];
}

describe('a client', () => {
  let gateway: TestGateway;
  beforeAll(async () => void (gateway = await startGateway()));

  it.each<[title: string, target: string, fields?: Record<string, string>]>([
    ['the host of an absolute target', 'http://169.254.169.254/api/x'],
    ['Host', '/api/x', { Host: '169.254.169.254' }],
    ['X-Forwarded-Host', '/api/x', { 'X-Forwarded-Host': '169.254.169.254' }],
    ['Forwarded', '/api/x', { Forwarded: 'host=169.254.169.254' }],
    ['X-Original-URL', '/api/x', { 'X-Original-URL': 'http://169.254.169.254/' }],
    ['a path that looks like a URL', '/api/http://169.254.169.254/x'],
    ['a path that looks like a host', '/api/@169.254.169.254/x'],
  ])('cannot choose the upstream by %s', async (title, target, fields = {}) => {
    const chosen = await rawUpstream();
    const id = title.replaceAll(' ', '-');
    const key = await gateway.addTenant({ id, upstreamBaseUrl: `${chosen.url}/base` });
    expect((await ask(gateway, key, target, fields)).status).toBe(200);
    const [line, host] = chosen.received().split('\r\n');
    expect(line).toMatch(/^GET \/base\/\S* HTTP\/1\.1$/);
    expect(host).toBe(`host: 127.0.0.1:${chosen.port}`);
    await chosen.stop();
  });

  it('is told of redirects; the gateway follows none', async () => {
    const location = `Location: ${upstream.url}/\r\n`;
    const moved = await rawUpstream(
      `HTTP/1.1 307 Temporary Redirect\r\n${location}Content-Length: 0\r\n\r\n`,
    );
    const key = await gateway.addTenant({ id: 'moved', upstreamBaseUrl: moved.url });
    const { status, headers } = await ask(gateway, key);
    expect([status, headers.location]).toEqual([307, `${upstream.url}/`]);
    expect(upstream.connections).toEqual([]);
    await moved.stop();
  });
});
