import { startGateway, type TestGateway } from '../support/gateway';
import { send } from '../support/traffic';
import { startUpstream, type TestUpstream } from '../support/upstream';

let upstream: TestUpstream;
beforeAll(async () => void (upstream = await startUpstream()));
afterAll(() => upstream.stop());

type Headers = Record<string, string>;

async function statusOf(url: string, headers: Headers): Promise<number> {
  return (await send(url, { headers })).status;
}

async function statusesOf(url: string, all: Headers[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const headers of all) statuses.push(await statusOf(url, headers));
  return statuses;
}

/** Ways in which a client says that it is somebody else. */
const forgeries = (address: string): Headers[] => [
  { 'X-Forwarded-For': address },
  { 'X-Forwarded-For': `${address}, ${address}` },
  { 'x-forwarded-for': `${address},` },
  { 'X_Forwarded_For': address },
  { Forwarded: `for=${address}` },
  { Forwarded: `for="${address}";proto=https, for="unknown` },
  { 'X-Real-IP': address },
  { 'X-Client-IP': address, 'CF-Connecting-IP': address, 'True-Client-IP': address },
  { 'X-Forwarded-For': '', Forwarded: `for=${address}` },
]; // prettier-ignore

describe('a client that nobody vouches for', () => {
  it('does not get past an allow list by what it says', async () => {
    const gateway = await startGateway({ CENTRAL_API_URL: upstream.url, IP_ALLOWLIST: '10.0.0.0/8' });
    const asked = upstream.requests.length;
    expect(new Set(await statusesOf(`${gateway.url}/v1`, forgeries('10.0.0.1')))).toEqual(new Set([403]));
    expect(upstream.requests.length).toBe(asked);
    expect((await send(`${gateway.url}/health`)).status).toBe(200);
    await gateway.close();
  });

  it('does not dodge its limit by being somebody else each time', async () => {
    const gateway = await startGateway({ CENTRAL_API_URL: upstream.url, RATE_LIMIT_PER_IP: '2' });
    const all = [0, 1, 2, 3].flatMap((n) => forgeries(`10.0.${n}.1`));
    const statuses = await statusesOf(`${gateway.url}/v1`, all);
    expect(statuses.filter((status) => status === 200)).toHaveLength(2);
    expect(new Set(statuses.slice(2))).toEqual(new Set([429]));
    await gateway.close();
  });
});

describe('behind a proxy', () => {
  // What the client says stands left of what its proxy has added.
  const through = (said: string, client: string): Headers => ({ 'X-Forwarded-For': `${said}, ${client}` });

  it('the client is whom the proxy names, not whom the client names', async () => {
    const gateway = await startGateway({
      CENTRAL_API_URL: upstream.url, TRUSTED_PROXIES: 'loopback', RATE_LIMIT_PER_IP: '2', IP_DENYLIST: '198.51.100.66',
    }); // prettier-ignore
    const url = `${gateway.url}/v1`;
    const same = [1, 2, 3, 4].map((n) => through(`10.0.0.${n}`, '198.51.100.1'));
    expect(await statusesOf(url, same)).toEqual([200, 200, 429, 429]);
    expect(await statusOf(url, through('10.0.0.1', '198.51.100.66'))).toBe(403);
    expect(await statusOf(url, through('10.0.0.1', '::ffff:198.51.100.66'))).toBe(403);
    expect(await statusOf(url, through('198.51.100.66', '198.51.100.2'))).toBe(200);
    // An open quotation does not swallow what the proxy adds behind it.
    expect(await statusOf(url, { Forwarded: 'for="10.0.0.1, for=198.51.100.66' })).toBe(403);
    await gateway.close();
  });

  it('IPv6 clients are one by their /64, not by one of its 2^64 addresses', async () => {
    const gateway = await startGateway({
      CENTRAL_API_URL: upstream.url, TRUSTED_PROXIES: 'loopback', RATE_LIMIT_PER_IP: '2',
    }); // prettier-ignore
    const addresses = ['2001:db8:1:2::1', '2001:DB8:1:2:ffff::', '2001:db8:1:2:0:0:0:3', '2001:db8:1:3::1'];
    const statuses = await statusesOf(`${gateway.url}/v1`, addresses.map((each) => ({ 'X-Forwarded-For': each }))); // prettier-ignore
    expect(statuses).toEqual([200, 200, 429, 200]);
    await gateway.close();
  });

  it.each<[title: string, env: Headers, said: Headers, client: string]>([
    ['one hop of any address', { TRUSTED_PROXY_HOPS: '1' }, { 'X-Forwarded-For': '1.1.1.1, 2.2.2.2' }, '2.2.2.2'],
    ['one hop of known ones', { TRUSTED_PROXIES: 'loopback,2.2.2.2', TRUSTED_PROXY_HOPS: '1' }, { 'X-Forwarded-For': '1.1.1.1, 2.2.2.2' }, '2.2.2.2'],
    ['X-Forwarded-For only', { TRUSTED_PROXIES: 'loopback', CLIENT_ADDRESS_HEADER: 'x-forwarded-for' }, { Forwarded: 'for=1.1.1.1' }, '127.0.0.1'],
    ['Forwarded only', { TRUSTED_PROXIES: 'loopback', CLIENT_ADDRESS_HEADER: 'forwarded' }, { 'X-Forwarded-For': '1.1.1.1', Forwarded: 'for="[2001:db8::1]:80"' }, '2001:db8::1'],
  ])('believes %s', async (_, env, said, client) => {
    const gateway = await startGateway({ CENTRAL_API_URL: upstream.url, ...env });
    await send(`${gateway.url}/v1`, { headers: said });
    expect(String(upstream.last().headers['x-forwarded-for']).split(', ')[0]).toBe(client);
    await gateway.close();
  }); // prettier-ignore

  it('reads scheme and host from the one header that the proxy writes', async () => {
    const env = { TRUSTED_PROXIES: 'loopback', CLIENT_ADDRESS_HEADER: 'forwarded' };
    const gateway = await startGateway({ CENTRAL_API_URL: upstream.url, ...env });
    const forged = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'forged.test' };
    await send(`${gateway.url}/v1`, { headers: { ...forged, Forwarded: 'for=1.1.1.1;proto=http;host=real.test' } });
    expect(upstream.last().headers).toMatchObject({ 'x-forwarded-proto': 'http', 'x-forwarded-host': 'real.test' });
    await gateway.close();
  }); // prettier-ignore
});

describe('lists and limits of tenants and routes', () => {
  let gateway: TestGateway;
  let key: string;
  const as = (address: string): Headers => ({ 'X-API-Key': key, 'X-Forwarded-For': address });
  const status = (path: string, address: string): Promise<number> =>
    statusOf(gateway.url + path, as(address));

  beforeAll(async () => {
    gateway = await startGateway({ TRUSTED_PROXIES: 'loopback', IP_DENYLIST: '10.66.*' });
    key = await gateway.addTenant({
      id: 'acme',
      upstreamBaseUrl: upstream.url,
      ipAllow: ['10.0.0.0/8', '2001:db8::/32'],
      ipDeny: ['10.0.0.13'],
      rateLimitPerIp: { windowSeconds: 60, maxRequests: 3 },
      allowedRoutes: [
        { path: '/open' },
        { path: '/inner', ipAllow: ['10.1.*'] },
        { path: '/scarce', rateLimitPerIp: { windowSeconds: 60, maxRequests: 1 } },
      ],
    });
    await gateway.admin('POST', '/admin/tenants/acme/services', { name: 's', targets: [{ url: upstream.url }] });
    const routes = [
      { name: 'r', path: '/site', backends: [{ service: '1' }], ipDeny: ['10.2.0.0/16'], rateLimitPerIp: { windowSeconds: 60, maxRequests: 1 } },
    ];
    const published = await gateway.admin('PUT', '/admin/tenants/acme/publication', { routes });
    expect(published.status).toBe(200);
  }); // prettier-ignore
  afterAll(() => gateway.close());

  it.each([
    ['/api/open', '10.5.0.1', 200],
    ['/api/open', '::ffff:10.5.0.2', 200],
    ['/api/open', '2001:db8::7', 200],
    ['/api/open', '11.0.0.1', 403],
    ['/api/open', '10.0.0.13', 403],
    ['/api/open', '10.66.1.1', 403],
    ['/api/inner', '10.1.2.3', 200],
    ['/api/inner', '10.3.2.3', 403],
    ['/proxy/1/x', '10.5.0.3', 200],
    ['/proxy/1/x', '11.0.0.1', 403],
    ['/site', '10.5.0.4', 200],
    ['/site', '10.2.0.4', 403],
    ['/site', '11.0.0.1', 403],
  ])('%s from %s: %d', async (path, address, expected) => {
    const answer = await send(gateway.url + path, { headers: as(address) });
    expect(answer.status).toBe(expected);
    if (expected === 403) expect(JSON.parse(answer.body)).toMatchObject({ code: 'address_not_allowed' });
  });

  it('each client has its own share of the tenant and of the route', async () => {
    const rate = async (path: string, address: string, times: number): Promise<number[]> => {
      const statuses = [];
      for (let i = 0; i < times; i++) statuses.push(await status(path, address));
      return statuses;
    };
    expect(await rate('/api/open', '10.20.0.1', 4)).toEqual([200, 200, 200, 429]);
    expect(await rate('/api/scarce', '10.20.0.2', 2)).toEqual([200, 429]);
    expect(await rate('/api/open', '10.20.0.2', 3)).toEqual([200, 200, 429]);
    expect(await rate('/site', '10.20.0.3', 2)).toEqual([200, 429]);
    const { headers, body } = await send(`${gateway.url}/site`, { headers: as('10.20.0.3') });
    expect(headers['ratelimit-policy']).toBe(
      '"tenant";q=100;w=60, "client";q=3;w=60, "route_client";q=1;w=60',
    );
    expect(JSON.parse(body)).toMatchObject({ detail: expect.stringContaining('limit of the route_client') });
  });

  it('are explained', async () => {
    const question = { method: 'GET', path: '/api/inner', headers: as('10.3.9.9') };
    const { body } = await gateway.admin('POST', '/admin/explain', question);
    expect(body).toMatchObject({ outcome: 'refuse', status: 403, tenantId: 'acme' });
    expect(body.judgements).toContainEqual(
      expect.objectContaining({ guard: 'route', code: 'address_not_allowed' }),
    );
  });

  it('are shown, changed by merge patch, and refused by name', async () => {
    const shown = (await gateway.admin('GET', '/admin/tenants/acme')).body;
    expect(shown).toMatchObject({ ipDeny: ['10.0.0.13'], rateLimitPerIp: { windowSeconds: 60, maxRequests: 3 } });
    expect(shown.allowedRoutes[1]).toMatchObject({ path: '/inner', ipAllow: ['10.1.*'] });

    for (const [patch, field] of [
      [{ ipDeny: ['10.0.0.1', '10.0.0.300'] }, 'ipDeny.1'],
      [{ ipAllow: [] }, 'ipAllow'],
      [{ ipAllow: [7] }, 'ipAllow'],
      [{ rateLimitPerIp: { windowSeconds: 0 } }, 'rateLimitPerIp.windowSeconds'],
    ] as const) {
      const { status: refused, body } = await gateway.admin('PATCH', '/admin/tenants/acme', patch);
      expect([refused, body.errors?.[0]?.field]).toEqual([400, field]);
    }
    const bad = { routes: [{ name: 'r', path: '/site', backends: [{ service: '1' }], ipAllow: ['*'] }] };
    const { body } = await gateway.admin('PUT', '/admin/tenants/acme/publication', bad);
    expect(body.errors).toMatchObject([{ field: 'routes.0.ipAllow.0' }]);

    const patch = { ipAllow: null, ipDeny: ['2001:db8::13'], rateLimitPerIp: { maxRequests: 1000 } };
    const patched = await gateway.admin('PATCH', '/admin/tenants/acme', patch);
    expect(patched.body).toMatchObject({ ipDeny: ['2001:db8::13'], rateLimitPerIp: { windowSeconds: 60, maxRequests: 1000 } });
    expect(patched.body).not.toHaveProperty('ipAllow');
    expect(await status('/api/open', '11.0.0.1')).toBe(200);
    expect(await status('/api/open', '2001:db8::13')).toBe(403);
  }); // prettier-ignore
});
