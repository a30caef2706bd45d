import { startForwarding, type Forwarding } from '../support/forwarding';
import { outcomeOf } from '../support/outcomes';
import { parseResponse, type RawResponse } from '../support/raw-request';

const APP = 'https://app.example.com';
const EXPOSED = 'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy';

/** Any origin, as by default; and a list of two. */
let anyOrigin: Forwarding;
let listed: Forwarding;
beforeAll(async () => {
  [anyOrigin, listed] = await Promise.all([
    startForwarding(),
    startForwarding({ ALLOWED_ORIGINS: `${APP},http://localhost:8080` }),
  ]);
});

async function call(
  forwarding: Forwarding,
  key: string,
  line: string,
  fields: Record<string, string> = {},
): Promise<RawResponse> {
  const client = await forwarding.send(key, line, { Connection: 'close', ...fields });
  await client.closed;
  return parseResponse(client.received());
}

const corsOf = ({ headers }: RawResponse): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));

const GRANTED = {
  'access-control-allow-origin': APP,
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': EXPOSED,
};

describe('a response', () => {
  it.each([APP, 'http://localhost:3000', 'null', 'capacitor://localhost'])(
    'to the origin %s reflects it, with credentials, by default',
    async (origin) => {
      const upstream = await anyOrigin.raw();
      const response = await call(anyOrigin, upstream.key, 'GET /api/x', { Origin: origin });
      expect(response.status).toBe(200);
      expect(corsOf(response)).toEqual({ ...GRANTED, 'access-control-allow-origin': origin });
      expect(response.headers.vary).toBe('Origin');
      // The upstream may want to know as well.
      expect(upstream.received()).toContain(`Origin: ${origin}\r\n`);
    },
  );

  it('without an origin grants nothing, but says that it would depend on one', async () => {
    const upstream = await anyOrigin.raw();
    const response = await call(anyOrigin, upstream.key, 'GET /api/x');
    expect(corsOf(response)).toEqual({});
    expect(response.headers.vary).toBe('Origin');
  });

  it.each([
    [APP, true],
    ['http://localhost:8080', true],
    ['https://evil.example.com', false],
    [`${APP}.evil.com`, false],
    ['https://app.example.com:8443', false],
    ['http://app.example.com', false],
    ['HTTPS://APP.EXAMPLE.COM', false],
    ['null', false],
    ['*', false],
  ])('with ALLOWED_ORIGINS, to %s, grants: %s', async (origin, granted) => {
    const upstream = await listed.raw();
    const response = await call(listed, upstream.key, 'GET /api/x', { Origin: origin });
    // CORS is the browser's business: the request itself is judged by its key.
    expect(response.status).toBe(200);
    expect(corsOf(response)).toEqual(granted ? { ...GRANTED, 'access-control-allow-origin': origin } : {});
    expect(response.headers.vary).toBe('Origin');
  });

  const OF_UPSTREAM =
    'HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\naccess-control-allow-credentials: false\r\n' +
    'ACCESS-CONTROL-EXPOSE-HEADERS: X-Own\r\nVary: Accept-Encoding\r\nContent-Length: 0\r\n\r\n';

  it('has the upstream’s own grants replaced, and its Vary kept', async () => {
    const upstream = await anyOrigin.raw(OF_UPSTREAM);
    const response = await call(anyOrigin, upstream.key, 'GET /api/x', { Origin: APP });
    expect(corsOf(response)).toEqual(GRANTED);
    expect(response.headers.vary).toBe('Accept-Encoding, Origin');
  });

  it('does not pass an upstream’s grant to an origin that the operator left out', async () => {
    const upstream = await listed.raw(OF_UPSTREAM);
    const response = await call(listed, upstream.key, 'GET /api/x', { Origin: 'https://evil.example.com' });
    expect(response.status).toBe(200);
    expect(corsOf(response)).toEqual({});
  });
});

describe('a preflight', () => {
  const ASK = {
    Origin: APP,
    'Access-Control-Request-Method': 'PUT',
    'Access-Control-Request-Headers': 'content-type,x-api-key',
  };

  it.each(['/api/v1/anything', '/api'])(
    'is answered for %s without a key, and never forwarded',
    async (path) => {
      const upstream = await anyOrigin.upstream();
      const response = await call(anyOrigin, upstream.key, `OPTIONS ${path}`, { ...ASK, 'X-API-Key': '' });
      expect(response).toMatchObject({ status: 204, body: '' });
      expect(corsOf(response)).toMatchObject({
        'access-control-allow-origin': APP,
        'access-control-allow-credentials': 'true',
      });
      expect(response.headers.vary).toBe('Origin');
      const list = (name: string): string[] => response.headers[name]!.split(', ').sort();
      expect(list('access-control-allow-headers')).toEqual([
        'Authorization',
        'Content-Type',
        'X-API-Key',
        'X-Admin-Token',
      ]);
      expect(list('access-control-allow-methods')).toEqual([
        'DELETE',
        'GET',
        'HEAD',
        'OPTIONS',
        'PATCH',
        'POST',
        'PUT',
      ]);
      expect(Number(response.headers['access-control-max-age'])).toBeGreaterThan(0);
      expect(upstream.requests).toHaveLength(0);
    },
  );

  it('is recorded as a request like any other', async () => {
    await call(anyOrigin, '', 'OPTIONS /api/preflight', { ...ASK, 'X-Request-Id': 'preflight' });
    const { access } = await outcomeOf(anyOrigin.gateway, '/api/preflight');
    expect(access).toMatchObject({ status: 204, decision: 'allow', requestId: 'preflight' });
  });

  it('from an origin that is not on the list grants nothing', async () => {
    const response = await call(listed, '', 'OPTIONS /api/x', { ...ASK, Origin: 'https://evil.example.com' });
    expect(response.status).toBe(204);
    expect(corsOf(response)).toEqual({});
    expect(response.headers.vary).toBe('Origin');
  });

  it.each([
    ['an origin', { 'Access-Control-Request-Method': 'PUT' }],
    ['a method', { Origin: APP }],
  ])('without %s is none, but a request that needs a key', async (_, fields) => {
    const upstream = await anyOrigin.upstream();
    const refused = await call(anyOrigin, '', 'OPTIONS /api/x', fields);
    expect(refused.status).toBe(401);
    const passed = await call(anyOrigin, upstream.key, 'OPTIONS /api/x', fields);
    expect(passed.status).toBe(200);
    expect(upstream.last().method).toBe('OPTIONS');
  });
});

describe('a refusal can be read by the page that caused it', () => {
  it.each([
    [401, 'GET /api/x', { 'X-API-Key': '' }],
    [401, 'GET /api/x', { 'X-API-Key': 'gh_live_wrong' }],
    [403, 'GET /api/closed', {}],
    [404, 'GET /elsewhere', {}],
    [405, 'TRACE /api/x', {}],
    [400, 'GET /api/%2e%2e%2fx', {}],
    [417, 'GET /api/x', { Expect: 'nonsense' }],
    [429, 'GET /api/limited', {}],
    [502, 'GET /api/down', {}],
  ])('%i for %s', async (status, line, fields) => {
    const limited = line.endsWith('limited') ? { rateLimit: { windowSeconds: 3600, maxRequests: 1 } } : {};
    const upstream = await anyOrigin.upstream(undefined, {
      allowedRoutes: [{ path: '/x' }, { path: '/limited' }, { path: '/down' }],
      ...limited,
    });
    if (status === 502) await upstream.stop();
    if (status === 429) await call(anyOrigin, upstream.key, line);
    const response = await call(anyOrigin, upstream.key, line, { ...fields, Origin: APP });
    expect(response.status).toBe(status);
    expect(corsOf(response)).toEqual(GRANTED);
    expect(response.headers.vary).toBe('Origin');
  });
});
