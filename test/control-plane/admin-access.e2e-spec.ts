import { OWNER_TOKEN, refusal, startStage, tenantDocument, type Stage } from './stage';

interface Operation {
  method: string;
  path: string;
}

const PUBLIC = ['/livez', '/readyz', '/.well-known/jwks.json'];
/** Judges itself who comes: by what is in its body, or by a cookie. */
const SIGN_IN = '/dashboard/session';

describe('access to the control plane', () => {
  let stage: Stage;
  let operations: Operation[];
  beforeAll(async () => {
    stage = await startStage();
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    const document = (await stage.call('GET', '/docs/openapi.json')).body as {
      paths: Record<string, object>;
    };
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({
        method: method.toUpperCase(),
        path: path.replace('{tenantId}', 'acme'),
      })),
    );
  });
  afterAll(() => stage.close());

  const WRONG: Array<Record<string, string>> = [
    { 'X-Admin-Token': '' },
    { 'X-Admin-Token': 'wrong' },
    { 'X-Admin-Token': `${OWNER_TOKEN}x` },
    { 'X-Admin-Token': OWNER_TOKEN.toUpperCase() },
    { 'X-Admin-Token': '', Authorization: 'Bearer wrong' },
    { 'X-Admin-Token': '', Authorization: `Basic ${OWNER_TOKEN}` },
    // The token of its own header is not overruled by another.
    { 'X-Admin-Token': 'wrong', Authorization: `Bearer ${OWNER_TOKEN}` },
  ];

  it.each(WRONG)('refuses every protected operation with %j', async (headers) => {
    const before = await stage.store.documents.get('tenant:acme');
    const guarded = operations.filter(({ path }) => ![...PUBLIC, SIGN_IN].includes(path));
    expect(guarded.length).toBeGreaterThan(20);
    for (const { method, path } of guarded) {
      const answer = await stage.call(method, path, undefined, headers);
      expect({ method, path, ...refusal(answer) }).toMatchObject({
        method,
        path,
        status: 401,
        code: 'admin_unauthorized',
      });
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    expect(await stage.store.documents.get('tenant:acme')).toBe(before);
  });

  it('does not parse what strangers send', async () => {
    for (const body of ['{"broken', 'x'.repeat(2 * 1024 * 1024)]) {
      const answer = await stage.call('POST', '/admin/tenants', body, { 'X-Admin-Token': 'wrong' });
      expect(refusal(answer).status).toBe(401);
    }
  });

  it('takes the token as a bearer token', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
      const response = await fetch(`${stage.url}/admin/health`, {
        headers: { Authorization: `${scheme} ${OWNER_TOKEN}` },
      });
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ status: 'ok', plane: 'control' });
    }
  });

  it('answers exactly as documented at /admin/health', async () => {
    expect((await stage.call('GET', '/admin/health')).text).toBe('{"status":"ok","plane":"control"}');
  });

  it('opens probes and documentation to everybody', async () => {
    for (const path of [...PUBLIC, '/docs', '/docs/openapi.json', '/docs/swagger-ui-bundle.js']) {
      expect((await fetch(stage.url + path)).status).toBe(200);
    }
    stage.setReady(false);
    expect(refusal(await stage.call('GET', '/readyz'))).toMatchObject({ status: 503, code: 'not_ready' });
    expect((await fetch(`${stage.url}/livez`)).status).toBe(200);
    stage.setReady(true);
  });

  it.each([undefined, ''])('serves nobody while the token is %j', async (adminToken) => {
    const closed = await startStage({ adminToken });
    for (const token of ['', 'undefined', OWNER_TOKEN]) {
      const answer = await closed.call('GET', '/admin/tenants', undefined, { 'X-Admin-Token': token });
      expect(refusal(answer)).toMatchObject({ status: 503, code: 'admin_not_configured' });
    }
    await closed.close();
  });

  it('sends headers that keep browsers from doing harm', async () => {
    for (const path of ['/admin/health', '/admin/nope', '/docs', '/metrics']) {
      const { headers } = await stage.call('GET', path);
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });

  it('answers preflights as documented, for the origins that are allowed', async () => {
    const strict = await startStage({ env: { ALLOWED_ORIGINS: 'https://console.example' } });
    const preflight = async (origin: string): Promise<Headers> => {
      const headers = { Origin: origin, 'Access-Control-Request-Method': 'PATCH' };
      return (await fetch(`${strict.url}/admin/tenants/acme`, { method: 'OPTIONS', headers })).headers;
    };
    const allowed = await preflight('https://console.example');
    expect(allowed.get('access-control-allow-origin')).toBe('https://console.example');
    expect(allowed.get('access-control-allow-credentials')).toBe('true');
    expect(allowed.get('access-control-allow-headers')).toContain('X-Admin-Token');
    expect((await preflight('https://evil.example')).get('access-control-allow-origin')).toBeNull();
    await strict.close();
  });

  it.each([
    ['GET', '/', 404, 'not_found'],
    ['GET', '/admin', 404, 'not_found'],
    ['GET', '/admin/tenants/acme/nope', 404, 'not_found'],
    ['GET', '/admin/tenants/%zz', 400, 'bad_request_target'],
    ['DELETE', '/admin/tenants', 405, 'method_not_allowed'],
    ['PUT', '/metrics', 405, 'method_not_allowed'],
    ['POST', '/docs', 405, 'method_not_allowed'],
  ])('answers %s %s with a problem, not a page', async (method, path, status, code) => {
    const answer = await stage.call(method, path);
    expect(refusal(answer)).toMatchObject({ status, code });
    expect(answer.headers.get('allow') !== null).toBe(status === 405);
  });
});
