import { startProcess, type TestProcess } from '../support/process';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { waitFor } from '../support/children';

/** An answer of any documented endpoint. */
interface Answer {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the tests look into bodies of all shapes
  body: any;
}

const OWNER = { 'X-Admin-Token': 'owner-token-of-the-documented-tests' };

/**
 * The documented contract of the service-oriented gateway: its quick start, line by line and in this order, and what
 * else it promises. A local upstream stands for httpbin.
 */
describe('the documented quick start', () => {
  let gateway: TestProcess;
  let upstream: TestUpstream;
  let registered: { service_id: number; gateway_url: string; api_key: string };
  let apiKey: string;

  beforeAll(async () => {
    upstream = await startUpstream(async (request, response, recorded) => {
      await recorded.ended;
      response.statusCode = Number(/status=(\d+)/.exec(request.url ?? '')?.[1] ?? 200);
      response.setHeader('X-From', 'upstream');
      response.end(`${request.method} ${recorded.bodyText}`);
    });
    gateway = await startProcess({
      env: { OPEN_REGISTRATION: 'true', ADMIN_TOKEN: OWNER['X-Admin-Token'] },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  async function curl(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    data?: unknown,
  ): Promise<Answer> {
    const body = data === undefined ? undefined : JSON.stringify(data);
    const type: Record<string, string> = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const response = await fetch(gateway.url + path, {
      method,
      headers: { ...type, ...headers },
      body,
      redirect: 'manual',
    });
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: json ? (JSON.parse(text) as unknown) : text,
    };
  }
  const withKey = (key: string): Record<string, string> => ({ 'X-API-Key': key });
  const register = (name: string, path = '/get'): Promise<Answer> =>
    curl('POST', '/register-api', {}, { name, target_url: upstream.url + path });

  it('1. registers a service, without any credential', async () => {
    const answer = await register('Example API');
    expect(answer.status).toBe(201);
    registered = answer.body as typeof registered;
    expect(registered).toMatchObject({
      service_id: 1,
      gateway_url: '/proxy/1',
      api_key: expect.stringMatching(/^gh_live_/) as string,
    });
  });

  it('2. shows the API key, the first time only', async () => {
    const answer = await curl('GET', '/me/api-key');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    apiKey = (answer.body as { api_key: string }).api_key;
    expect(apiKey).toMatch(/^gh_live_/);
    const again = await curl('GET', '/me/api-key');
    expect(again).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(JSON.stringify(again.body)).not.toContain('gh_live_');
  });

  it('3. proxies a request, to exactly the registered address and without the key', async () => {
    const answer = await curl('GET', '/proxy/1', withKey(apiKey));
    expect(answer).toMatchObject({ status: 200, body: 'GET ' });
    expect(answer.headers.get('x-from')).toBe('upstream');
    expect(upstream.last()).toMatchObject({ method: 'GET', url: '/get' });
    expect(upstream.last().headers['x-api-key']).toBeUndefined();
    expect(upstream.last().headers.host).toBe(`127.0.0.1:${upstream.port}`);
  });

  it('4. counts it', async () => {
    const usage = await waitFor('the request in the usage', async () => {
      const { status, body } = await curl('GET', '/usage/1', withKey(apiKey));
      expect(status).toBe(200);
      return (body as { total_requests: number }).total_requests === 1 && (body as Record<string, unknown>);
    });
    expect(usage).toMatchObject({ total_requests: 1, by_api_key: [{ requests: 1 }] });
    expect((await curl('GET', '/usage/1')).status).toBe(401);
  });

  it('takes the key of the service as well, for that service only', async () => {
    const other = (await register('Another API')).body as typeof registered;
    expect((await curl('GET', '/proxy/1', withKey(registered.api_key))).status).toBe(200);
    expect((await curl('GET', '/proxy/1', withKey(other.api_key))).status).toBe(403);
    expect((await curl('GET', other.gateway_url, withKey(other.api_key))).status).toBe(200);
    expect((await curl('GET', '/proxy/1')).status).toBe(401);
    expect((await curl('GET', '/proxy/999', withKey(apiKey))).status).toBe(404);
  });

  it.each(['GET', 'POST', 'PUT', 'DELETE'])(
    'preserves method, headers, query and body: %s',
    async (method) => {
      const { gateway_url: url, api_key: key } = (await register(method, '')).body as typeof registered;
      const body = method === 'GET' ? undefined : { sent: method };
      const answer = await curl(
        method,
        `${url}/things/1?a=1&b=%20&a=2`,
        { ...withKey(key), 'X-Mine': 'kept' },
        body,
      );
      expect(answer.status).toBe(200);
      expect(upstream.last()).toMatchObject({
        method,
        url: '/things/1?a=1&b=%20&a=2',
        bodyText: body ? JSON.stringify(body) : '',
        headers: { 'x-mine': 'kept' },
      });
    },
  );

  it('limits each key to 10 requests in 60 seconds unless it has another limit, with 429', async () => {
    const { gateway_url: url, api_key: key } = (await register('limited')).body as typeof registered;
    const answers = await Promise.all(Array.from({ length: 15 }, () => curl('GET', url, withKey(key))));
    // A token comes back every six seconds, should the burst have taken so long.
    const passed = answers.filter(({ status }) => status === 200).length;
    expect([10, 11]).toContain(passed);
    const limited = answers.filter(({ status }) => status === 429);
    expect(passed + limited.length).toBe(15);
    expect(limited[0]?.headers.get('x-ratelimit-limit')).toBe('10');
    expect(limited[0]?.headers.get('ratelimit-policy')).toContain('"key";q=10;w=60');
    expect(Number(limited[0]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);

    const id = (await curl('GET', '/me/api-key', withKey(key))).body as { id: string };
    const changed = await curl('PATCH', `/api-keys/${id.id}`, OWNER, {
      rate_limit_requests: 1000,
      rate_limit_window_seconds: 1,
    });
    expect(changed).toMatchObject({
      status: 200,
      body: { rate_limit_requests: 1000, rate_limit_window_seconds: 1 },
    });
    await waitFor(
      'the new limit',
      async () => (await curl('GET', url, withKey(key))).headers.get('x-ratelimit-limit') === '1000',
    );
  });

  it('counts 2xx and 3xx only, each for 0.001 unless the key has another price', async () => {
    const {
      service_id: id,
      gateway_url: url,
      api_key: key,
    } = (await register('counted')).body as typeof registered;
    for (const status of [200, 302, 404, 500, 204]) {
      expect((await curl('GET', `${url}?status=${status}`, withKey(key))).status).toBe(status);
    }
    const used = await waitFor('three counted requests', async () => {
      const { body } = await curl('GET', `/usage/${id}`, withKey(key));
      const { total_requests: total } = body as { total_requests: number };
      return total >= 3 ? total : undefined;
    });
    expect(used).toBe(3);
    const mine = (await curl('GET', '/me/api-key', withKey(key))).body as { id: string };
    expect(mine).toMatchObject({ price_per_request: 0.001, service_id: id });
    const billed = await waitFor('the costs', async () => {
      const { body } = await curl('GET', '/billing/api-keys', OWNER);
      const lines = Object.values(body as Record<string, unknown>).find(Array.isArray) as Array<
        Record<string, unknown>
      >;
      const line = lines.find((item) => Object.values(item).includes(mine.id));
      return line?.total_cost === 0.003 && line;
    });
    expect(billed).toMatchObject({ price_per_request: 0.001, total_cost: 0.003 });
  });

  it.each([
    ['GET', '/billing/summary', 200],
    ['GET', '/billing/api-keys', 200],
    ['POST', '/billing/reset', 200],
  ])('has %s %s', async (method, path, status) => {
    expect((await curl(method, path, OWNER)).status).toBe(status);
    expect((await curl(method, path)).status).toBe(401);
  });

  it('has PUT /api-keys/{key_id}/pricing', async () => {
    const { api_key: key } = (await register('priced')).body as typeof registered;
    const { id } = (await curl('GET', '/me/api-key', withKey(key))).body as { id: string };
    const path = `/api-keys/${id}/pricing`;
    expect((await curl('PUT', path, OWNER, { price_per_request: 0.005 })).status).toBe(200);
    expect((await curl('GET', '/me/api-key', withKey(key))).body).toMatchObject({ price_per_request: 0.005 });
    // Whoever pays does not set the price.
    expect((await curl('PUT', path, withKey(key), { price_per_request: 0 })).status).toBe(403);
  });

  it('has interactive documentation at /docs, and leads there from /redoc', async () => {
    const docs = await curl('GET', '/docs');
    expect(docs.status).toBe(200);
    expect(docs.headers.get('content-type')).toContain('text/html');
    const redoc = await curl('GET', '/redoc');
    expect([redoc.status, redoc.headers.get('location')]).toEqual([302, '/docs']);
  });

  it('answers 502 where the backend cannot be reached', async () => {
    const gone = await curl('POST', '/register-api', {}, { name: 'gone', target_url: 'http://127.0.0.1:1' });
    const { gateway_url: url, api_key: key } = gone.body as typeof registered;
    expect((await curl('GET', url, withKey(key))).status).toBe(502);
  });

  it('keeps the keys of a service apart: each is limited, billed and revoked by itself', async () => {
    const {
      service_id: id,
      gateway_url: url,
      api_key: first,
    } = (await register('two')).body as typeof registered;
    const made = await curl('POST', '/api-keys', OWNER, { name: 'second', service_id: id });
    expect(made.status).toBe(201);
    const second = made.body as { id: string; api_key: string };
    expect(second).toMatchObject({ service_id: id, rate_limit_requests: 10, rate_limit_window_seconds: 60 });
    for (let i = 0; i < 11; i++) await curl('GET', url, withKey(first));
    expect((await curl('GET', url, withKey(first))).status).toBe(429);
    expect((await curl('GET', url, withKey(second.api_key))).status).toBe(200);
    expect((await curl('DELETE', `/api-keys/${second.id}?wait=true`, OWNER)).status).toBe(200);
    expect((await curl('GET', url, withKey(second.api_key))).status).toBe(401);
  });

  it('never shows a key again, nor logs it', async () => {
    const shown = await Promise.all(
      ['/api-keys', '/services', '/me', '/usage/1', '/billing/api-keys'].map((path) =>
        curl('GET', path, OWNER),
      ),
    );
    const everything = JSON.stringify([shown.map(({ body }) => body as unknown), gateway.logs]);
    for (const key of [apiKey, registered.api_key]) expect(everything).not.toContain(key);
  });
});
