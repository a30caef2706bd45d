import { WebSocket, WebSocketServer } from 'ws';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AuthPolicy } from '#libs/tenants';
import { startGateway, type TestGateway } from '../support/gateway';
import { startFakeIssuer, type FakeIssuer } from '../support/identity-provider';
import { GATEWAY_SECRET, serviceToken } from '../support/own-token-attacks';
import { createSigner } from '../support/token-signer';
import { startUpstream, type TestUpstream } from '../support/upstream';

let gateway: TestGateway;
let upstream: TestUpstream;
let issuer: FakeIssuer;
let other: FakeIssuer;
let routes = 0;
/** Of a tenant `acme` that trusts both issuers and the gateway. */
let key: string;

beforeAll(async () => {
  const [first, second] = [createSigner('api.test', 'ES256'), createSigner('api.test', 'ES256')];
  second.issuer = 'https://other.test';
  [gateway, upstream, issuer, other] = await Promise.all([
    startGateway({ GATEWAY_JWT_SECRET: GATEWAY_SECRET }),
    startUpstream(),
    startFakeIssuer(first),
    startFakeIssuer(second),
  ]);
  key = await gateway.addTenant({
    id: 'acme',
    upstreamBaseUrl: upstream.url,
    rateLimit: { windowSeconds: 60, maxRequests: 1_000_000 },
    idps: [issuer, other].map(({ issuer: name, jwksUri }) => ({
      issuer: name,
      jwksUri,
      audience: 'api.test',
    })),
    serviceTokens: true,
  });
});
beforeEach(() => void (upstream.requests.length = 0));
afterAll(() => Promise.all([upstream.stop(), issuer.stop(), other.stop()]));

/** A new route with the policy; resolves to its path. */
async function route(policy: Partial<AuthPolicy>): Promise<string> {
  const path = `/p${++routes}`;
  const body = { path, auth: { jwt: true, ...policy } };
  const answer = await gateway.admin('POST', '/admin/tenants/acme/routes', body);
  if (answer.status !== 201) throw new Error(`no route: ${JSON.stringify(answer.body)}`);
  return path;
}

async function call(path: string, token?: string, headers: Record<string, string> = {}) {
  const authorization: Record<string, string> =
    token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const response = await fetch(`${gateway.url}/api${path}`, {
    headers: { 'X-API-Key': key, ...authorization, ...headers },
  });
  const { code, detail } = (await response.json()) as { code?: string; detail?: string };
  return { status: response.status, code, detail, challenge: response.headers.get('www-authenticate') };
}

const notAllowed = (detail: string) => ({
  status: 403,
  code: 'token_not_allowed',
  detail,
  challenge: 'Bearer error="insufficient_scope"',
});
const passed = expect.objectContaining({ status: 200 }) as object;

type Claims = Record<string, unknown>;
type Row = [what: string, policy: Partial<AuthPolicy>, good: Claims[], bad: Claims[], detail: string];

describe('a policy asks a token for', () => {
  it.each<Row>([
    [
      'values of claims',
      { claims: { tier: ['gold', '7', 'true'], 'https://acme.test/unit': ['a b'] } },
      ['gold', 7, true, ['x', 'gold']].map((tier) => ({ tier, 'https://acme.test/unit': 'a b' })),
      [undefined, 'silver', '', null, ['gold,7'], [], { gold: 1 }, [['gold']], 'GOLD', 'gold '].map((tier) => ({
        tier,
        'https://acme.test/unit': 'a b',
      })),
      'the claim tier does not have an accepted value',
    ],
    [
      'all scopes',
      { scopes: ['read', 'write'] },
      [{ scope: 'write read more' }, { scp: ['read', 'write'] }, { scope: 'read', scp: 'write' }],
      [{}, { scope: 'read' }, { scope: 'readwrite' }, { scope: 'read,write' }, { scope: 'READ WRITE' }, { scope: 7 }],
      'the claim scope does not have every scope that is needed',
    ],
    [
      'one role',
      { roles: ['admin', 'owner'] },
      [{ roles: ['owner'] }, { roles: 'admin' }, { realm_access: { roles: ['x', 'admin'] } }],
      [{}, { roles: ['user'] }, { roles: 'admin owner' }, { role: 'admin' }, { realm_access: ['admin'] }, { roles: { admin: 1 } }],
      'the claim roles does not have an accepted value',
    ],
  ])('%s', async (_what, policy, good, bad, detail) => {
    const path = await route(policy);
    for (const claims of good) expect([claims, await call(path, issuer.sign(claims))]).toEqual([claims, passed]);
    expect(upstream.requests).toHaveLength(good.length);
    for (const claims of bad) {
      // Twice: what was said of a token is said again.
      const token = issuer.sign(claims);
      expect([claims, await call(path, token)]).toEqual([claims, notAllowed(detail)]);
      expect(await call(path, token)).toEqual(notAllowed(detail));
    }
    expect(upstream.requests).toHaveLength(good.length);
  }); // prettier-ignore

  it('an issuer', async () => {
    const [first, own] = [await route({ issuers: [issuer.issuer] }), await route({ issuers: ['gateway'] })];
    const detail = 'tokens of this issuer are not accepted here';
    expect(await call(first, issuer.sign())).toEqual(passed);
    expect(await call(first, other.sign())).toEqual(notAllowed(detail));
    expect(await call(first, serviceToken())).toEqual(notAllowed(detail));
    expect(await call(own, serviceToken())).toEqual(passed);
    expect(await call(own, issuer.sign())).toEqual(notAllowed(detail));
    // One token, three places: what one says of it is nothing to the others.
    expect(await call(await route({}), issuer.sign())).toEqual(passed);
  });

  it('a project, in the place of the tenant’s own', async () => {
    const [open, wide] = [await route({}), await route({ claims: { project: ['acme', 'partner'] } })];
    expect(await call(open, serviceToken({ project: 'partner' }))).toMatchObject({
      status: 401,
      detail: 'the token is for another project',
    });
    expect(await call(wide, serviceToken({ project: 'partner' }))).toEqual(passed);
    expect(await call(wide, serviceToken({ project: 'else' }))).toEqual(
      notAllowed('the claim project does not have an accepted value'),
    );
  });

  it('the same at a service', async () => {
    const service = await gateway.admin('POST', '/admin/tenants/acme/services', {
      name: 'guarded',
      targets: [{ url: upstream.url }],
      auth: { jwt: true, scopes: ['read'], claimHeaders: { 'X-User': 'sub' } },
    });
    const { id } = service.body as { id: string };
    const send = async (token: string) => {
      const headers = { 'X-API-Key': key, Authorization: `Bearer ${token}` };
      const response = await fetch(`${gateway.url}/proxy/${id}/x`, { headers });
      await response.arrayBuffer();
      return response.status;
    };
    expect(await send(issuer.sign())).toBe(403);
    expect(await send(issuer.sign({ scope: 'read' }))).toBe(200);
    expect(upstream.last().headers['x-user']).toBe('somebody');
    const unknown = { auth: { jwt: true, scope: ['read'] } };
    const refusal = await gateway.admin('PATCH', `/admin/tenants/acme/services/${id}`, unknown);
    expect(refusal.body).toMatchObject({ errors: [{ field: 'auth.scope' }] });
  });

  it('the same before a WebSocket is opened', async () => {
    const path = await route({ scopes: ['read'] });
    const headers = { 'X-API-Key': key, Authorization: `Bearer ${issuer.sign()}` };
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/api${path}`, { headers });
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(403);
    response.destroy();
  });
});

describe('claims that the upstream is told', () => {
  const told = (name: string): unknown => upstream.last().headers[name];

  it.each<[string, unknown, string | undefined]>([
    ['a text', 'somebody', 'somebody'],
    ['a number', 42, '42'],
    ['a truth value', false, 'false'],
    ['a list', ['a', 'b', 3], 'a,b,3'],
    ['a text with a comma', 'a, b', 'a, b'],
    ['another script, in UTF-8', 'Жанна ☃', Buffer.from('Жанна ☃').toString('latin1')],
    ['nothing', undefined, undefined],
    ['null', null, undefined],
    ['an empty text', '', undefined],
    ['an empty list', [], undefined],
  ])('%s', async (_name, value, expected) => {
    const path = await route({ claimHeaders: { 'X-Claim': 'claim' } });
    // A client's own never passes, not even where the token has nothing to say.
    const forged = { 'x-claim': 'forged', X_Claim: 'forged', 'X.Claim': 'forged', 'X-CLAIM': 'forged' };
    expect(await call(path, issuer.sign({ claim: value }), forged)).toEqual(passed);
    expect(told('x-claim')).toBe(expected);
    expect(JSON.stringify(upstream.last().rawHeaders)).not.toContain('forged');
  });

  it.each<[string, unknown]>([
    ['a line end', 'a\r\nX-Admin: 1'],
    ['a zero', 'a\u0000b'],
    ['another control character', 'a\u0085b'],
    ['half a character', 'a\ud800'],
    ['a blank at its end', 'admin '],
    ['a comma inside a list', ['user,admin']],
    ['an object', { name: 'x' }],
    ['a list in a list', [['x']]],
  ])('are refused where a header cannot carry them: %s', async (_name, value) => {
    const path = await route({ claimHeaders: { 'X-Claim': 'claim' } });
    expect(await call(path, issuer.sign({ claim: value }))).toEqual(
      notAllowed('the claim claim cannot be sent as a header'),
    );
    expect(upstream.requests).toHaveLength(0);
  });

  it('are told of several claims at once', async () => {
    const path = await route({ claimHeaders: { 'X-User': 'sub', 'X-Issuer': 'iss' } });
    expect(await call(path, issuer.sign())).toEqual(passed);
    expect([told('x-user'), told('x-issuer')]).toEqual(['somebody', issuer.issuer]);
    expect(upstream.last().rawHeaders).toContain('X-User');
  });

  it.each([
    ['in the place of what the client says', true, ['somebody']],
    ['not at all where no token is asked for', false, []],
  ])('reach the upstream of a WebSocket too, %s', async (_what, jwt, expected) => {
    const path = await route({ jwt, claimHeaders: { 'X-User': 'sub', 'X-Tier': 'tier' } });
    const server = new WebSocketServer({ server: upstream.server });
    const opened = once(server, 'connection') as Promise<[WebSocket, IncomingMessage]>;
    const headers = { 'X-API-Key': key, Authorization: `Bearer ${issuer.sign()}` };
    const forged = { 'x-user': 'forged', X_User: 'forged', 'X.User': 'forged', 'X-TIER': 'forged' };
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/api${path}`, {
      headers: { ...headers, ...forged },
    });
    const [[, { rawHeaders }]] = await Promise.all([opened, once(socket, 'open')]);
    const users = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'x-user');
    expect(users).toEqual(expected);
    expect(JSON.stringify(rawHeaders)).not.toContain('forged');
    socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  });

  it('cannot be forged where no token is asked for', async () => {
    const path = await route({ jwt: false, claimHeaders: { 'X-User': 'sub' } });
    expect(await call(path, undefined, { 'X-User': 'root', x_user: 'root' })).toEqual(passed);
    expect(JSON.stringify(upstream.last().rawHeaders)).not.toContain('root');
  });
});

describe('a token that is made to be expensive', () => {
  const LIMIT = 8 * 1024;

  /** The most of something that fits into a token, signed as it should be. */
  function most(claims: (count: number) => Claims): { token: string; count: number } {
    let [fits, tooMany] = [1, LIMIT];
    while (tooMany - fits > 1) {
      const count = Math.floor((fits + tooMany) / 2);
      if (issuer.sign(claims(count)).length <= LIMIT) fits = count;
      else tooMany = count;
    }
    return { token: issuer.sign(claims(fits)), count: fits };
  }
  const nested = (depth: number): Claims => ({
    deep: JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown,
  });
  const wide = (count: number): Claims =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [i.toString(36), 0]));

  it('by its depth is refused, also where its depth is what is asked for', async () => {
    const path = await route({ claims: { deep: ['x'] }, claimHeaders: { 'X-Deep': 'deep' } });
    const { token, count } = most(nested);
    expect(count).toBeGreaterThan(2500);
    for (let i = 0; i < 20; i++)
      expect(await call(path, token)).toMatchObject({
        status: 401,
        detail: 'the token is nested too deeply',
      });
    expect(await call(await route({}), issuer.sign(nested(31)))).toEqual(passed);
    expect(await call(path, issuer.sign({ deep: 'x' }))).toEqual(passed);
  });

  it('by its number of claims is a token like any other, up to the length that all may have', async () => {
    const path = await route({ claims: { a: ['0'] }, claimHeaders: { 'X-A': 'a' } });
    const { token, count } = most(wide);
    expect(count).toBeGreaterThan(700);
    for (let i = 0; i < 20; i++) expect(await call(path, token)).toEqual(passed);
    expect(upstream.last().headers['x-a']).toBe('0');
    expect(await call(path, issuer.sign(wide(1000)))).toMatchObject({
      status: 401,
      detail: 'the token is too long',
    });
  });
});

describe('explain', () => {
  const explain = async (path: string, token: string) => {
    const headers = { 'X-API-Key': key, Authorization: `Bearer ${token}` };
    const { body } = await gateway.admin('POST', '/admin/explain', {
      method: 'GET',
      path: `/api${path}`,
      headers,
    });
    const { judgements } = body as { judgements: Array<{ guard: string }> };
    return judgements.find(({ guard }) => guard === 'jwt');
  };

  it('shows the issuer and what the policy says', async () => {
    const path = await route({ scopes: ['read'], claimHeaders: { 'X-User': 'sub' } });
    expect(await explain(path, issuer.sign({ scope: 'read' }))).toMatchObject({
      verdict: 'pass',
      details: {
        issuer: issuer.issuer,
        policy: 'pass',
        asks: { scopes: ['read'], claimHeaders: { 'X-User': 'sub' } },
      },
    });
    expect(await explain(path, serviceToken())).toMatchObject({
      verdict: 'refuse',
      code: 'token_not_allowed',
      reason: 'the claim scope does not have every scope that is needed',
      details: { issuer: 'gateway', tokenId: 'token-1', project: 'acme', policy: 'refuse' },
    });
    expect(await explain(path, 'nonsense')).toMatchObject({
      verdict: 'refuse',
      code: 'invalid_jwt',
      details: { issuers: [issuer.issuer, 'https://other.test', 'gateway'] },
    });
  });
});
