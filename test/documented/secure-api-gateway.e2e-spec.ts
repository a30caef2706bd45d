import { hashApiKey } from '#libs/tenants';
import { ADMIN_TOKEN, startGateway, type TestGateway } from '../support/gateway';
import { createSigner, type TokenSigner } from '../support/token-signer';
import { startFakeIssuer, type FakeIssuer } from '../support/identity-provider';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { waitFor } from '../support/children';

const PASSWORD = 'secure-password';
const API_KEY = 'the-key-of-acme';

/**
 * The documented contract of the gateway this product replaces first, command by command: what its users typed goes on
 * working. Ids, headers, endpoints, keys, metric names and log categories are theirs.
 */
describeRedis('the documented contract', () => {
  let redis: TestRedis;
  let upstream: TestUpstream;
  let issuer: FakeIssuer;
  let signer: TokenSigner;
  let gateway: TestGateway;

  beforeAll(async () => {
    redis = await startRedis({ password: PASSWORD });
    upstream = await startUpstream((request, response) => {
      response.statusCode = request.url === '/v1/products/broken' ? 500 : 200;
      response.end('{"from":"upstream"}');
    });
    signer = createSigner('api-gateway');
    issuer = await startFakeIssuer(signer);
    gateway = await startGateway({
      REDIS_HOST: redis.host,
      REDIS_PORT: String(redis.port),
      REDIS_PASSWORD: PASSWORD,
      LOG_LEVEL: 'debug',
    });
    await redis.cli('SET', 'tenant:acme-123', JSON.stringify(documentedTenant()));
    await redis.cli('SET', `tenant:byApiKey:${hashApiKey(API_KEY)}`, 'acme-123');
  });

  afterAll(async () => {
    await gateway.close();
    await Promise.all([upstream.stop(), issuer.stop(), redis.stop()]);
  });

  /** The sample of the documentation; its id differs from the key it is stored under, as there. */
  function documentedTenant(): object {
    return {
      id: 'tenant-acme',
      name: 'ACME Corporation',
      upstreamBaseUrl: upstream.url,
      allowedRoutes: [
        { path: '/v1/users', auth: { jwt: true } },
        { path: '/v1/products', auth: { jwt: false } },
        { path: '/v2/admin' },
      ],
      rateLimit: { windowSeconds: 60, maxRequests: 5000 },
      idp: { issuer: issuer.issuer, jwksUri: issuer.jwksUri, audience: 'api-gateway' },
    };
  }

  function call(
    path: string,
    init: RequestInit & { headers?: Record<string, string> } = {},
  ): Promise<Response> {
    return fetch(gateway.url + path, { ...init, headers: { 'X-API-Key': API_KEY, ...init.headers } });
  }

  const bearer = (): { Authorization: string } => ({ Authorization: `Bearer ${signer.sign()}` });
  const scrape = async (): Promise<string> => (await gateway.admin('GET', '/metrics')).body as string;

  it.each(['GET', 'POST', 'PUT', 'DELETE'])(
    '%s /api/* is forwarded with the path below /api',
    async (method) => {
      const answer = await call('/api/v1/products/42?x=1', { method });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ from: 'upstream' });
      expect(upstream.last()).toMatchObject({ method, url: '/v1/products/42?x=1' });
      expect(upstream.last().headers['x-api-key']).toBeUndefined();
    },
  );

  it('answers 401 without a key, with a wrong key, without a token and with a wrong token', async () => {
    expect((await fetch(`${gateway.url}/api/v1/products`)).status).toBe(401);
    expect((await call('/api/v1/products', { headers: { 'X-API-Key': 'wrong' } })).status).toBe(401);
    expect((await call('/api/v1/users')).status).toBe(401);
    expect((await call('/api/v1/users', { headers: { Authorization: 'Bearer a.b.c' } })).status).toBe(401);
  });

  it('passes a token that the JWKS endpoint vouches for, on routes that ask for one', async () => {
    expect((await call('/api/v1/users/7', { headers: bearer() })).status).toBe(200);
    expect(upstream.last().url).toBe('/v1/users/7');
    expect((await call('/api/v2/admin')).status).toBe(401);
    expect((await call('/api/v2/admin', { headers: bearer() })).status).toBe(200);
  });

  it('answers 403 outside the allowed routes', async () => {
    expect((await call('/api/v3')).status).toBe(403);
    expect((await call('/api/v1/productsandmore')).status).toBe(403);
  });

  it('answers 502 when the upstream cannot be reached, and passes its own errors on', async () => {
    expect((await call('/api/v1/products/broken')).status).toBe(500);
    await redis.cli(
      'SET',
      'tenant:gone',
      JSON.stringify({ ...documentedTenant(), upstreamBaseUrl: 'http://127.0.0.1:1' }),
    );
    await redis.cli('SET', `tenant:byApiKey:${hashApiKey('gone')}`, 'gone');
    expect((await call('/api/v1/products', { headers: { 'X-API-Key': 'gone' } })).status).toBe(502);
  });

  it('answers 429 beyond maxRequests, and 100 per 60 s is the default', async () => {
    const { rateLimit: _, ...without } = documentedTenant() as { rateLimit: unknown };
    await redis.cli('SET', 'tenant:small', JSON.stringify(without));
    await redis.cli('SET', `tenant:byApiKey:${hashApiKey('small')}`, 'small');
    const answers = await Promise.all(
      Array.from({ length: 120 }, () => call('/api/v1/products', { headers: { 'X-API-Key': 'small' } })),
    );
    const passed = answers.filter(({ status }) => status === 200).length;
    const limited = answers.filter(({ status }) => status === 429);
    // 100 at once, and a token every 0.6 s for as long as the burst took.
    expect(passed).toBeGreaterThanOrEqual(100);
    expect(passed).toBeLessThan(110);
    expect(passed + limited.length).toBe(120);
    expect(Number(limited[0]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });

  it('keeps the counters of the limit under rl:{tenantId}:{timeWindow}, and they expire by themselves', async () => {
    await call('/api/v1/products');
    expect(await redis.cli('KEYS', 'rl:acme-123:*')).toBe('rl:acme-123:60');
    expect(Number(await redis.cli('PTTL', 'rl:acme-123:60'))).toBeGreaterThan(0);
  });

  it('GET /admin/health answers exactly as documented, to the admin token only', async () => {
    expect((await gateway.admin('GET', '/admin/health')).body).toEqual({ status: 'ok', plane: 'control' });
    for (const path of ['/admin/health', '/admin/routes', '/metrics', '/tenant']) {
      expect((await fetch(gateway.adminUrl + path)).status).toBe(401);
      expect((await fetch(gateway.adminUrl + path, { headers: { 'X-Admin-Token': 'wrong' } })).status).toBe(
        401,
      );
      expect(
        (await fetch(gateway.adminUrl + path, { headers: { 'X-Admin-Token': ADMIN_TOKEN } })).status,
      ).toBe(200);
    }
  });

  it('GET /tenant and GET /admin/routes know a tenant that was written by hand', async () => {
    await waitFor('the tenant in the list', async () =>
      JSON.stringify((await gateway.admin('GET', '/tenant')).body).includes('ACME Corporation'),
    );
    expect(JSON.stringify((await gateway.admin('GET', '/admin/routes')).body)).toContain('/v1/users');
  });

  it('reflects the origin, allows credentials and the documented headers', async () => {
    const origin = 'https://app.example.com';
    const preflight = await fetch(`${gateway.url}/api/v1/products`, {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
    expect(preflight.headers.get('access-control-allow-credentials')).toBe('true');
    for (const header of ['Content-Type', 'Authorization', 'X-API-Key', 'X-Admin-Token']) {
      expect(preflight.headers.get('access-control-allow-headers')).toContain(header);
    }
    expect(
      (await call('/api/v1/products', { headers: { Origin: origin } })).headers.get(
        'access-control-allow-origin',
      ),
    ).toBe(origin);
  });

  it.each([
    ['gateway_requests_total', 'counter', '{tenantId="acme-123",status="200"}'],
    ['gateway_auth_failures_total', 'counter', '{tenantId="acme-123",reason="missing_jwt"}'],
    ['gateway_route_denials_total', 'counter', '{tenantId="acme-123"}'],
    ['gateway_rate_limited_total', 'counter', '{tenantId="small"}'],
    ['gateway_upstream_errors_total', 'counter', '{tenantId="acme-123"}'],
    ['gateway_internal_errors_total', 'counter', ''],
    ['gateway_latency_ms', 'histogram', '_bucket{le="50",tenantId="acme-123",status="200"}'],
    ['gateway_upstream_latency_ms', 'histogram', '_bucket{le="3000",tenantId="acme-123",upstream='],
    ['gateway_inflight_requests', 'gauge', ' '],
    ['control_requests_total', 'counter', '{endpoint="GET /admin/health",status="200"}'],
    ['control_mutations_total', 'counter', '{action="tenant.create"}'],
    ['control_errors_total', 'counter', ' '],
    ['control_latency_ms', 'histogram', '_bucket{le="50",endpoint="GET /admin/health"}'],
    ['process_resident_memory_bytes', 'gauge', ' '],
    ['nodejs_eventloop_lag_seconds', 'gauge', ' '],
  ])('/metrics has %s, a %s, with its documented labels', async (name, type, series) => {
    if (name === 'control_mutations_total') {
      await gateway.admin('POST', '/admin/tenants', { ...documentedTenant(), id: 'made' });
      await gateway.admin('DELETE', '/admin/tenants/made');
    }
    const text = await scrape();
    expect(text).toContain(`# TYPE ${name} ${type}`);
    if (series) expect(text).toContain(name + series);
  });

  it('writes JSON lines of the four categories, with the request in them and no secret', async () => {
    const token = signer.sign();
    await call('/api/v1/users', { headers: { Authorization: `Bearer ${token}` } });
    await waitFor('the access line', () =>
      gateway.logs.some((line) => line.path === '/api/v1/users' && line.status === 200),
    );
    const lines = gateway.logs;
    const categories = new Set(lines.map(({ category }) => category));
    for (const category of ['auth', 'policy', 'request', 'admin']) expect(categories).toContain(category);
    const request = lines.find(({ category, status }) => category === 'request' && status === 200);
    expect(request).toMatchObject({
      method: 'GET',
      decision: 'allow',
      ip: '127.0.0.1',
      tenantId: 'acme-123',
    });
    expect(typeof request?.durationMs).toBe('number');
    const text = JSON.stringify(lines);
    for (const secret of [API_KEY, token, ADMIN_TOKEN, PASSWORD]) expect(text).not.toContain(secret);
  });
});
