import { ask, openHttp2 } from '../support/http2-client';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { outcomeOf } from '../support/outcomes';
import { parseResponse, rawRequest } from '../support/raw-request';
import { startTlsForwarding } from '../support/tls-forwarding';
import type { TestGateway } from '../support/gateway';
import { startUpstream } from '../support/upstream';

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Sends a request by plain HTTP. */
async function plain(
  { port }: TestGateway,
  line: string,
  host: string,
  fields: Record<string, string> = {},
): Promise<Answer> {
  const lines = Object.entries({ Host: host, Connection: 'close', ...fields }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return parseResponse(await rawRequest(port, [`${line} HTTP/1.1`, ...lines, '', ''].join('\r\n')));
}

const HSTS = 'strict-transport-security';
const A_YEAR = 'max-age=31536000';

describe('FORCE_HTTPS beside HTTPS of our own', () => {
  let forwarding: Forwarding;
  let upstream: Awaited<ReturnType<Forwarding['upstream']>>;
  beforeAll(async () => {
    forwarding = await startTlsForwarding({ FORCE_HTTPS: 'true' });
    // Its administration goes by https as well; the test's tenants are added by a trusted hand.
    const session = await openHttp2(forwarding.gateway.tlsPort);
    const started = await startUpstream();
    const token = { 'x-admin-token': forwarding.gateway.adminToken, 'content-type': 'application/json' };
    const call = async (path: string, body: object): Promise<{ key: string }> =>
      JSON.parse(
        (await ask(session, { ':method': 'POST', ':path': path, ...token }, JSON.stringify(body))).body,
      ) as never;
    await call('/admin/tenants', {
      id: 'acme',
      name: 'acme',
      upstreamBaseUrl: started.url,
      allowedRoutes: [{ path: '/' }],
    });
    const { key } = await call('/admin/tenants/acme/api-keys', { name: 'test' });
    session.close();
    upstream = { ...started, key };
  });
  afterAll(() => upstream.stop());

  it.each([
    ['GET /api/x?y=1', 'gateway.test', 'https://gateway.test/api/x?y=1'],
    ['HEAD /api/x', 'gateway.test', 'https://gateway.test/api/x'],
    ['GET /api/a/../x', 'GATEWAY.test:8080', 'https://GATEWAY.test:TLS_PORT/api/x'],
    ['GET //evil.test/x', 'localhost', 'https://localhost/evil.test/x'],
    ['GET http://gateway.test/api/x', 'localhost', 'https://gateway.test/api/x'],
    ['GET /admin/tenants', '127.0.0.1:3000', 'https://127.0.0.1:TLS_PORT/admin/tenants'],
    ['GET /docs', 'localhost', 'https://localhost/docs'],
  ])('sends %s at %s on', async (line, host, location) => {
    const before = upstream.requests.length;
    const answer = await plain(forwarding.gateway, line, host, { 'X-API-Key': upstream.key });
    expect(answer.status).toBe(308);
    expect(answer.headers.location).toBe(location.replace('TLS_PORT', String(forwarding.gateway.tlsPort)));
    expect(answer.headers).not.toHaveProperty(HSTS);
    expect(upstream.requests).toHaveLength(before);
  });

  it.each([
    ['POST /api/x', 'gateway.test'],
    ['DELETE /admin/tenants/acme', 'localhost'],
    ['OPTIONS /api/x', 'gateway.test'],
    ['GET /api/x', 'evil.test'],
    ['GET /api/x', 'gateway.test.evil.test'],
    ['GET /admin/tenants', 'evil.test'],
  ])('refuses %s at %s', async (line, host) => {
    const token = { 'X-API-Key': upstream.key, 'X-Admin-Token': forwarding.gateway.adminToken };
    const answer = await plain(forwarding.gateway, line, host, token);
    expect(answer).toMatchObject({ status: 403 });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'https_required' });
    expect(answer.headers).not.toHaveProperty('location');
  });

  it.each(['a b', 'evil.test/x', 'evil.test@gateway.test', ''])('refuses the host %j', async (host) => {
    expect((await plain(forwarding.gateway, 'GET /api/x', host)).status).toBe(400);
  });

  it('is not talked out of it by headers of a stranger', async () => {
    const forged = {
      'X-Forwarded-Proto': 'https',
      Forwarded: 'proto=https',
      'X-Forwarded-Host': 'evil.test',
    };
    const answer = await plain(forwarding.gateway, 'GET /api/x', 'gateway.test', forged);
    expect(answer).toMatchObject({ status: 308, headers: { location: 'https://gateway.test/api/x' } });
    const control = await plain(forwarding.gateway, 'GET /admin/tenants', 'gateway.test', forged);
    expect(control.status).toBe(308);
  });

  it.each([
    ['/livez', 200],
    ['/readyz', 200],
    ['/ping', 200],
    ['/metrics', 401],
  ])('answers %s also in plain text', async (path, status) => {
    expect((await plain(forwarding.gateway, `GET ${path}`, '10.0.0.1:3000')).status).toBe(status);
  });

  it('serves by https, and says that it stays so', async () => {
    const session = await openHttp2(forwarding.gateway.tlsPort);
    const answer = await ask(session, { ':path': '/api/x', 'x-api-key': upstream.key });
    expect(answer).toMatchObject({ status: 200, headers: { [HSTS]: A_YEAR } });
    expect(await ask(session, { ':path': '/api/x' })).toMatchObject({
      status: 401,
      headers: { [HSTS]: A_YEAR },
    });
    expect(await ask(session, { ':path': '/livez' })).toMatchObject({
      status: 200,
      headers: { [HSTS]: A_YEAR },
    });
  });

  it('is recorded like everything else', async () => {
    await plain(forwarding.gateway, 'GET /api/redirected', 'gateway.test');
    // It reads /metrics by plain HTTP, which is exempt.
    const { access } = await outcomeOf(forwarding.gateway, '/api/redirected');
    expect(access).toMatchObject({ status: 308, scheme: 'http', protocol: 'HTTP/1.1' });
  });
});

describe('FORCE_HTTPS behind a proxy that ends TLS', () => {
  it('believes the proxy that is trusted', async () => {
    const { gateway } = await startForwarding({ FORCE_HTTPS: 'true', TRUSTED_PROXIES: 'loopback' });
    const secure = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '203.0.113.7' };
    const served = await plain(gateway, 'GET /api/x', 'gateway.test', secure);
    expect(served).toMatchObject({ status: 401, headers: { [HSTS]: A_YEAR } });
    const control = await plain(gateway, 'GET /admin/tenants', 'gateway.test', {
      ...secure,
      'X-Admin-Token': gateway.adminToken,
    });
    expect(control).toMatchObject({ status: 200, headers: { [HSTS]: A_YEAR } });
    for (const fields of [{ 'X-Forwarded-Proto': 'http' }, {}, { 'X-Forwarded-Proto': 'https, http' }]) {
      const sent = await plain(gateway, 'GET /api/x', 'gateway.test:8080', fields as Record<string, string>);
      expect(sent).toMatchObject({ status: 308, headers: { location: 'https://gateway.test/api/x' } });
    }
  });
});
