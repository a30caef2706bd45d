import { keys } from '#libs/store';
import { startGateway, type TestGateway } from '../support/gateway';
import { parseResponse, rawRequest } from '../support/raw-request';
import { startFakeIssuer, type FakeIssuer } from '../support/identity-provider';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { refusal, startStage, tenantDocument } from './stage';

interface Judgement {
  guard: string;
  verdict: string;
  code?: string;
  details?: Record<string, unknown>;
}

interface Explanation {
  outcome: 'forward' | 'refuse';
  status: number | null;
  tenantId: string | null;
  route: string | null;
  upstreamUrl: string | null;
  judgements: Judgement[];
}

const GUARDS = [
  'admission',
  'api_key',
  'route',
  'maintenance',
  'jwt',
  'body_size',
  'signature',
  'concurrency',
  'rate_limit',
];

describe('explain', () => {
  let gateway: TestGateway;
  let upstream: TestUpstream;
  let issuer: FakeIssuer;
  /** Key of a tenant that asks for tokens under /closed, has 1,000 requests, and a base path. */
  let key: string;
  let suspendedKey: string;
  let spentKey: string;

  beforeAll(async () => {
    upstream = await startUpstream();
    issuer = await startFakeIssuer();
    gateway = await startGateway();
    const { url } = upstream;
    key = await gateway.addTenant({
      id: 'acme',
      upstreamBaseUrl: `${url}/base`,
      allowedRoutes: [
        { path: '/v1', methods: ['GET'] },
        { path: '/v1/open', auth: { jwt: false } },
        { path: '/closed', auth: { jwt: true } },
      ],
      auth: { jwt: false },
      rateLimit: { windowSeconds: 3600, maxRequests: 1000 },
      idp: { issuer: issuer.issuer, jwksUri: issuer.jwksUri, audience: issuer.audience },
    });
    suspendedKey = await gateway.addTenant({ id: 'idle', upstreamBaseUrl: url, suspended: true });
    const rateLimit = { windowSeconds: 3600, maxRequests: 1 };
    spentKey = await gateway.addTenant({ id: 'spent', upstreamBaseUrl: url, rateLimit });
    expect((await fetch(`${gateway.url}/api/`, { headers: { 'X-API-Key': spentKey } })).status).toBe(200);
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.stop();
    await issuer.stop();
  });

  const explain = async (
    method: string,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<Explanation> => {
    const answer = await gateway.admin('POST', '/admin/explain', { method, path, headers });
    expect(answer.status).toBe(200);
    const explanation = answer.body as Explanation;
    expect(explanation.judgements.map(({ guard }) => guard)).toEqual(GUARDS);
    return explanation;
  };

  const send = async (method: string, path: string, headers: Record<string, string>): Promise<number> => {
    const lines = Object.entries({ Host: 'gateway', ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const answer = await rawRequest(
      gateway.port,
      `${method} ${path} HTTP/1.1\r\n${lines.join('')}Connection: close\r\n\r\n`,
    );
    return parseResponse(answer).status;
  };

  interface Case {
    method: string;
    path: string;
    headers: () => Record<string, string>;
    /** Of the refusal; absent: the request is forwarded. */
    code?: string;
    guard?: string;
  }
  const CASES: Case[] = [
    { method: 'GET', path: '/api/v1/users?page=2', headers: () => ({ 'X-API-Key': key }) },
    { method: 'HEAD', path: '/api/v1', headers: () => ({ 'X-API-Key': key }) },
    { method: 'POST', path: '/api/v1/open/x', headers: () => ({ 'X-API-Key': key, 'Content-Length': '0' }) },
    {
      method: 'GET',
      path: '/api/closed',
      headers: () => ({ 'X-API-Key': key, Authorization: `Bearer ${issuer.sign()}` }),
    },
    {
      method: 'GET',
      path: '/other',
      headers: () => ({ 'X-API-Key': key }),
      code: 'not_found',
      guard: 'admission',
    },
    {
      method: 'GET',
      path: '/api/v1/%2e%2e%2fx',
      headers: () => ({ 'X-API-Key': key }),
      code: 'bad_request_target',
      guard: 'admission',
    },
    {
      method: 'GET',
      path: '/api/v1',
      headers: () => ({ 'X-API-Key': key, Content_Length: '1' }),
      code: 'ambiguous_framing',
      guard: 'admission',
    },
    { method: 'GET', path: '/api/v1', headers: () => ({}), code: 'missing_api_key', guard: 'api_key' },
    {
      method: 'GET',
      path: '/api/v1',
      headers: () => ({ 'X-API-Key': 'nobody-has-this' }),
      code: 'invalid_api_key',
      guard: 'api_key',
    },
    {
      method: 'GET',
      path: '/api/v1',
      headers: () => ({ 'X-API-Key': suspendedKey }),
      code: 'tenant_suspended',
      guard: 'api_key',
    },
    {
      method: 'GET',
      path: '/api/v2',
      headers: () => ({ 'X-API-Key': key }),
      code: 'route_not_allowed',
      guard: 'route',
    },
    {
      method: 'DELETE',
      path: '/api/v1',
      headers: () => ({ 'X-API-Key': key }),
      code: 'route_not_allowed',
      guard: 'route',
    },
    {
      method: 'GET',
      path: '/api/closed',
      headers: () => ({ 'X-API-Key': key }),
      code: 'missing_jwt',
      guard: 'jwt',
    },
    {
      method: 'GET',
      path: '/api/closed',
      headers: () => ({ 'X-API-Key': key, Authorization: 'Bearer x.y.z' }),
      code: 'invalid_jwt',
      guard: 'jwt',
    },
    {
      method: 'GET',
      path: '/api/x',
      headers: () => ({ 'X-API-Key': spentKey }),
      code: 'rate_limited',
      guard: 'rate_limit',
    },
  ];

  it.each(CASES)('says of $method $path (-> $code) what then happens', async (request) => {
    const { method, path, headers, code, guard } = request;
    const explanation = await explain(method, path, headers());
    const status = await send(method, path, headers());
    expect(explanation.outcome).toBe(code === undefined ? 'forward' : 'refuse');
    expect(explanation.status ?? 200).toBe(status);
    const at = code === undefined ? GUARDS.length : GUARDS.indexOf(guard ?? '');
    explanation.judgements.forEach((judgement, position) => {
      const verdict = position < at ? 'pass' : position === at ? 'refuse' : 'not_reached';
      expect(judgement).toMatchObject({ verdict, ...(position === at ? { code } : {}) });
    });
  });

  it('names the tenant, the route and the URL that the upstream then gets', async () => {
    const explanation = await explain('GET', '/api/v1/users/%7Eme?page=2', { 'X-API-Key': key });
    expect(explanation).toMatchObject({ tenantId: 'acme', route: '/v1' });
    await send('GET', '/api/v1/users/%7Eme?page=2', { 'X-API-Key': key });
    expect(explanation.upstreamUrl).toBe(upstream.url + upstream.last().url);
  });

  it('shows what each guard knew, and no credential', async () => {
    const token = issuer.sign();
    const explanation = await explain('GET', '/api/closed', {
      'X-API-Key': key,
      Authorization: `Bearer ${token}`,
    });
    const details = Object.fromEntries(
      explanation.judgements.map((judgement) => [judgement.guard, judgement.details]),
    );
    expect(details).toMatchObject({
      admission: { path: '/api/closed', clientAddress: '127.0.0.1' },
      api_key: { tenantId: 'acme' },
      route: { path: '/closed', requiresJwt: true },
      jwt: { required: true, issuer: issuer.issuer },
      rate_limit: { capacity: 1000, windowSeconds: 3600, retryAfterMs: 0 },
    });
    expect(JSON.stringify(explanation)).not.toContain(key);
    expect(JSON.stringify(explanation)).not.toContain(token);
    const suspended = await explain('GET', '/api/v1', { 'X-API-Key': suspendedKey });
    expect(suspended).toMatchObject({ tenantId: 'idle', status: 403 });
  });

  it('takes nothing: no token of the bucket, no count, no request to the upstream', async () => {
    const level = async (): Promise<unknown> => {
      const { judgements } = await explain('GET', '/api/v1', { 'X-API-Key': key });
      return judgements.at(-1)?.details?.remaining;
    };
    const before = { level: await level(), requests: upstream.requests.length };
    for (let i = 0; i < 20; i++) await explain('GET', '/api/v1', { 'X-API-Key': key });
    expect({ level: await level(), requests: upstream.requests.length }).toEqual(before);
    const spent = await explain('GET', '/api/', { 'X-API-Key': spentKey });
    expect(spent.judgements.at(-1)).toMatchObject({
      verdict: 'refuse',
      details: { remaining: 0, capacity: 1 },
    });
  });

  it('judges from the address that is given, by the trusted proxies', async () => {
    const other = await startStage({ env: { TRUSTED_PROXIES: '10.0.0.0/8' } });
    const ask = async (clientAddress: string): Promise<unknown> => {
      const headers = { 'X-Forwarded-For': '203.0.113.7' };
      const { body } = await other.call('POST', '/admin/explain', {
        method: 'GET',
        path: '/api/x',
        headers,
        clientAddress,
      });
      return (body as Explanation).judgements[0]?.details?.clientAddress;
    };
    expect(await ask('10.1.2.3')).toBe('203.0.113.7');
    expect(await ask('192.0.2.1')).toBe('192.0.2.1');
    await other.close();
  });

  it('tells what is wrong with a tenant that cannot be served', async () => {
    const other = await startStage();
    await other.foreignSet(
      'tenant:corrupt',
      JSON.stringify(tenantDocument('corrupt', { upstreamBaseUrl: 'nowhere' })),
    );
    const hash = '3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0'; // of "token"
    await other.foreignSet(keys.apiKeyMapping(hash), 'corrupt');
    const question = { method: 'GET', path: '/api/x', headers: { 'X-API-Key': 'token' } };
    const { body } = await other.call('POST', '/admin/explain', question);
    expect(body).toMatchObject({ outcome: 'refuse', status: 503, tenantId: 'corrupt' });
    expect((body as Explanation).judgements[1]).toMatchObject({
      code: 'tenant_misconfigured',
      details: { tenantId: 'corrupt', problems: [{ field: 'upstreamBaseUrl' }] },
    });
    await other.close();
  });

  it.each([
    [{}, ['method', 'path']],
    [{ method: 7, path: '/' }, ['method']],
    [{ method: 'G T', path: '/' }, ['method']],
    [{ method: 'GET', path: ['/'] }, ['path']],
    [{ method: 'GET', path: '/', headers: [] }, ['headers']],
    [{ method: 'GET', path: '/', headers: { 'X-A': 7 } }, ['headers.X-A']],
    [{ method: 'GET', path: '/', headers: { 'X-A': ['b', null] } }, ['headers.X-A']],
    [{ method: 'GET', path: '/', clientAddress: 'somewhere' }, ['clientAddress']],
    [{ method: 'GET', path: '/', url: '/' }, ['url']],
  ])('refuses the question %j and names the field', async (question, fields) => {
    const stage = await startStage();
    const answer = refusal(await stage.call('POST', '/admin/explain', question));
    expect(answer).toEqual({ status: 400, code: 'validation_failed', fields });
    await stage.close();
  });
});
