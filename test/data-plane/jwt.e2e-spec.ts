import { WebSocket } from 'ws';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { RouteRule, Tenant } from '#libs/tenants';
import { startGateway, type TestGateway } from '../support/gateway';
import { startFakeIssuer, type FakeIssuer } from '../support/identity-provider';
import { tokenAttacks } from '../support/token-attacks';
import { createSigner } from '../support/token-signer';
import { startUpstream, type TestUpstream } from '../support/upstream';

const signer = createSigner();

let gateway: TestGateway;
let upstream: TestUpstream;
let issuer: FakeIssuer;
let key: string;

beforeAll(async () => {
  [gateway, upstream, issuer] = await Promise.all([startGateway(), startUpstream(), startFakeIssuer(signer)]);
  key = await addTenant('acme', issuer);
});
beforeEach(() => void (upstream.requests.length = 0));
afterAll(() => Promise.all([upstream.stop(), issuer.stop()]));

const ROUTES: RouteRule[] = [
  { path: '/v1/users', auth: { jwt: true } },
  { path: '/v1/products', auth: { jwt: false } },
  { path: '/v2' },
];

function addTenant(id: string, idp: FakeIssuer | undefined, more: Partial<Tenant> = {}): Promise<string> {
  return gateway.addTenant({
    id,
    upstreamBaseUrl: upstream.url,
    allowedRoutes: ROUTES,
    rateLimit: { windowSeconds: 60, maxRequests: 1_000_000 },
    ...(idp && { idp: { issuer: idp.issuer, jwksUri: idp.jwksUri, audience: idp.audience } }),
    ...more,
  });
}

async function call(path: string, token?: string, apiKey = key) {
  const headers = {
    'X-API-Key': apiKey,
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  const response = await fetch(`${gateway.url}/api${path}`, { headers });
  const body = (await response.json()) as { code?: string; detail?: string };
  return { status: response.status, headers: response.headers, body };
}

describe('a route that asks for a JWT', () => {
  it('lets a valid token through', async () => {
    expect(await call('/v1/users/7', issuer.sign())).toMatchObject({ status: 200 });
    expect(upstream.last().url).toBe('/v1/users/7');
  });

  it('refuses a request without one before touching the upstream', async () => {
    const refused = await call('/v1/users');
    expect(refused).toMatchObject({ status: 401, body: { code: 'missing_jwt' } });
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect(upstream.requests).toHaveLength(0);
  });

  it.each(['Basic dXNlcjpwYXNz', 'Bearer', 'Bearer ', 'Token abc', 'bearer'])(
    'does not take "%s" for one',
    async (authorization) => {
      const headers = { 'X-API-Key': key, Authorization: authorization };
      const response = await fetch(`${gateway.url}/api/v1/users`, { headers });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ code: 'missing_jwt' });
      expect(upstream.requests).toHaveLength(0);
    },
  );

  it.each(tokenAttacks(signer))('refuses before touching the upstream: $name', async ({ token, reason }) => {
    const refused = await call('/v1/users', token);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    // RFC 6750 §2.1: what follows a blank is not the token's any more.
    const expected = /\s/.test(token) ? { code: 'missing_jwt' } : { code: 'invalid_jwt', detail: reason };
    expect(refused.body).toMatchObject(expected);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(upstream.requests).toHaveLength(0);
  });

  it('does not open a WebSocket without a valid token', async () => {
    const headers = { 'X-API-Key': key, Authorization: `Bearer ${issuer.sign({ aud: 'other' })}` };
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/api/v1/users`, { headers });
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(401);
    response.destroy();
    expect(upstream.requests).toHaveLength(0);
  });

  it('writes no token into the log', async () => {
    const tokens = [issuer.sign(), issuer.sign({ exp: 1 })];
    for (const token of tokens) await call('/v1/users', token);
    const log = JSON.stringify(gateway.logs);
    expect(log).toContain('invalid_jwt');
    for (const token of tokens) expect(log).not.toContain(token.split('.')[2]);
  });
});

describe('which routes ask for a JWT', () => {
  const [open, locked] = [200, 401];
  it.each<[string, Partial<Tenant>, Record<string, number>]>([
    ['says nothing and has an issuer', {}, { users: locked, products: open, other: locked }],
    ['says yes', { auth: { jwt: true } }, { users: locked, products: open, other: locked }],
    ['says no', { auth: { jwt: false } }, { users: locked, products: open, other: open }],
  ])('the route decides; otherwise the tenant, who %s', async (name, settings, expected) => {
    const own = await addTenant(name.replaceAll(' ', '-'), issuer, settings);
    const status = async (path: string, token?: string) => (await call(path, token, own)).status;
    const paths = { users: '/v1/users', products: '/v1/products/3', other: '/v2/x' };
    for (const [which, path] of Object.entries(paths)) {
      expect([which, await status(path)]).toEqual([which, expected[which]]);
      expect([which, await status(path, issuer.sign())]).toEqual([which, open]);
      // What is not asked for is not judged either.
      expect([which, await status(path, 'nonsense')]).toEqual([which, expected[which]]);
    }
  });

  it('a tenant without an issuer asks for none', async () => {
    const own = await addTenant('plain', undefined, { allowedRoutes: [{ path: '/v2' }] });
    expect(await call('/v2', undefined, own)).toMatchObject({ status: 200 });
  });
});

describe('two tenants of one issuer', () => {
  it('do not accept tokens for each other’s audience, however often they were seen', async () => {
    const { issuer: name, jwksUri } = issuer;
    const other = await addTenant('other', undefined, {
      idp: { issuer: name, jwksUri, audience: 'other.test' },
    });
    const [ours, theirs] = [issuer.sign(), issuer.sign({ aud: 'other.test' })];
    for (let round = 0; round < 2; round++) {
      expect((await call('/v1/users', ours)).status).toBe(200);
      expect((await call('/v1/users', theirs, other)).status).toBe(200);
      expect((await call('/v1/users', ours, other)).status).toBe(401);
      expect((await call('/v1/users', theirs)).status).toBe(401);
    }
  });
});

describe('while the key set cannot be had', () => {
  it.each(['error', 'redirect', 'garbage', 'empty', 'huge', 'gone'] as const)(
    'no token is let in, and the answer is 503 with Retry-After (endpoint: %s)',
    async (behaviour) => {
      const broken = await startFakeIssuer(createSigner('api.test', 'ES256'));
      const own = await addTenant(`broken-${behaviour}`, broken);
      if (behaviour === 'gone') await broken.stop();
      else broken.behave(behaviour);
      const refused = await call('/v1/users', broken.sign(), own);
      expect(refused).toMatchObject({ status: 503, body: { code: 'jwks_unavailable' } });
      expect(refused.headers.get('retry-after')).toBe('1');
      expect((await call('/v1/products', undefined, own)).status).toBe(200);
      expect(upstream.requests.map(({ url }) => url)).toEqual(['/v1/products']);
      if (behaviour !== 'gone') await broken.stop();
    },
  );

  it('known tokens pass, and tokens of an unknown key get 503', async () => {
    const fading = await startFakeIssuer(createSigner('api.test', 'ES256'));
    const own = await addTenant('fading', fading);
    const known = fading.sign();
    expect((await call('/v1/users', known, own)).status).toBe(200);
    await fading.stop();
    expect((await call('/v1/users', known, own)).status).toBe(200);
    // The key is known, only the token is new.
    expect((await call('/v1/users', fading.sign({ sub: 'new' }), own)).status).toBe(200);

    fading.rotateKeys();
    const refused = await call('/v1/users', fading.sign(), own);
    expect(refused).toMatchObject({ status: 503, body: { code: 'jwks_unavailable' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await call('/v1/users', known, own)).status).toBe(200);
    expect(upstream.requests).toHaveLength(4);
  });

  it('five hundred invented key ids cost the issuer one fetch', async () => {
    const target = await startFakeIssuer(createSigner('api.test', 'ES256'));
    const own = await addTenant('target', target);
    await call('/v1/users', target.sign(), own);
    target.fetches = 0;
    const tokens = Array.from({ length: 500 }, (_unused, index) =>
      target.sign({}, { kid: `invented ${index}` }),
    );
    const answers = await Promise.all(
      tokens.map(async (token) => (await call('/v1/users', token, own)).status),
    );
    expect(new Set(answers)).toEqual(new Set([401]));
    expect(target.fetches).toBe(1);
    expect(upstream.requests).toHaveLength(1);
    await target.stop();
  });
});
