import { waitFor } from '../support/children';
import { ask, openHttp2 } from '../support/http2-client';
import { startTlsForwarding } from '../support/tls-forwarding';
import { send } from '../support/traffic';
import { cacheStatus, numbered, startCached, type CacheSetup } from './cache-setup';

let setup: CacheSetup;
beforeAll(async () => void (setup = await startCached()));

describe('a stored response', () => {
  it('answers in the place of the upstream, says so, and has the headers of this request and not of the first', async () => {
    const { get, asked } = await setup.cached({}, (_request, count) => ({
      body: `answer ${count}`,
      headers: {
        'Cache-Control': 'max-age=60',
        ETag: '"a"',
        'X-Request-Id': 'of-the-upstream',
        'Access-Control-Allow-Origin': '*',
        'RateLimit-Limit': '7',
        'Cache-Tag': 'a, b',
      },
    }));
    const first = await get('/api/x', { Origin: 'https://one.test', 'X-Request-Id': 'first' });
    expect(first).toMatchObject({ status: 200, body: 'answer 1' });
    expect(cacheStatus(first)).toMatch(/^gatehouse; fwd=uri-miss; fwd-status=200; stored; ttl=\d+$/);
    const second = await get('/api/x', { Origin: 'https://two.test', 'X-Request-Id': 'second' });
    expect(second).toMatchObject({ status: 200, body: 'answer 1' });
    expect(asked()).toBe(1);
    expect(cacheStatus(second)).toMatch(/^gatehouse; hit; ttl=\d+$/);
    expect(second.headers).toMatchObject({
      etag: '"a"',
      age: expect.stringMatching(/^\d$/),
      date: first.headers.date,
      'content-length': '8',
      'x-request-id': 'second',
      'access-control-allow-origin': 'https://two.test',
      'ratelimit-policy': first.headers['ratelimit-policy'],
    });
    for (const { headers } of [first, second]) expect(headers).not.toHaveProperty('cache-tag');
  });

  it('is not stored without a policy, and not where a route ends it', async () => {
    const plain = await setup.cached(undefined, numbered, { cache: undefined });
    const ended = await setup.cached({}, numbered, {
      allowedRoutes: [{ path: '/' }, { path: '/live', cache: { enabled: false } }],
    });
    for (const [tenant, path] of [
      [plain, '/api/x'],
      [ended, '/api/live'],
    ] as const) {
      for (const body of ['answer 1', 'answer 2']) {
        const answer = await tenant.get(path);
        expect(answer.body).toBe(body);
        expect(answer.headers).not.toHaveProperty('cache-status');
      }
    }
  });

  it('answers HEAD, parts, and clients that have it already', async () => {
    const { get, asked } = await setup.cached({}, () => ({
      headers: {
        'Cache-Control': 'max-age=60',
        ETag: '"v1"',
        'Last-Modified': 'Tue, 01 Jan 2030 00:00:00 GMT',
      },
      body: '0123456789',
    }));
    await get('/api/x');
    const head = await get('/api/x', {}, { method: 'HEAD' });
    expect([head.status, head.body, head.headers['content-length']]).toEqual([200, '', '10']);
    const rows: Array<[headers: Record<string, string>, status: number, body: string]> = [
      [{ Range: 'bytes=2-4' }, 206, '234'],
      [{ Range: 'bytes=-3', 'If-Range': '"v1"' }, 206, '789'],
      [{ Range: 'bytes=8-', 'If-Range': '"v0"' }, 200, '0123456789'],
      [{ Range: 'bytes=0-1,3-4' }, 200, '0123456789'],
      [{ Range: 'bytes=10-' }, 416, ''],
      [{ 'If-None-Match': '"v0", W/"v1"' }, 304, ''],
      [{ 'If-None-Match': '"v0"' }, 200, '0123456789'],
      [{ 'If-Modified-Since': 'Tue, 01 Jan 2030 00:00:00 GMT' }, 304, ''],
    ];
    for (const [headers, status, body] of rows) {
      const answer = await get('/api/x', headers);
      expect([headers, answer.status, answer.body]).toEqual([headers, status, body]);
    }
    expect(asked()).toBe(1);
  });

  it('is confirmed by the upstream when it is stale, and then answers whatever the client asked with', async () => {
    const { get, upstream, asked } = await setup.cached({}, (request) =>
      request.headers['if-none-match'] === '"v1"'
        ? { status: 304, headers: { ETag: '"v1"', 'Cache-Control': 'max-age=60', 'X-New': 'yes' } }
        : { headers: { ETag: '"v1"', 'Cache-Control': 'max-age=0' }, body: 'whole' },
    );
    await get('/api/x');
    const second = await get('/api/x', { 'If-None-Match': '"other"' });
    expect([second.status, second.body, second.headers['x-new']]).toEqual([200, 'whole', 'yes']);
    expect(cacheStatus(second)).toMatch(/^gatehouse; fwd=stale; fwd-status=304; stored; ttl=\d+$/);
    expect(upstream.last().headers).toMatchObject({ 'if-none-match': '"v1"' });
    const third = await get('/api/x', { 'If-None-Match': '"v1"' });
    expect([third.status, cacheStatus(third)]).toEqual([304, expect.stringMatching(/; hit;/)]);
    expect(asked()).toBe(2);
  });

  it('is not used where the client asks for another', async () => {
    const { get, asked } = await setup.cached();
    await get('/api/x');
    const rows: Array<[cacheControl: string, status: RegExp]> = [
      ['no-cache', /fwd=request; .*stored/],
      ['max-age=0, min-fresh=1000', /fwd=request; .*stored/],
      ['no-store', /fwd=request; fwd-status=200$/],
    ];
    for (const [cacheControl, status] of rows)
      expect(cacheStatus(await get('/api/x', { 'Cache-Control': cacheControl }))).toMatch(status);
    expect(asked()).toBe(4);
    expect(cacheStatus(await get('/api/x', { 'Cache-Control': 'only-if-cached' }))).toMatch(/hit/);
    const none = await get('/api/y', { 'Cache-Control': 'only-if-cached' });
    expect([none.status, JSON.parse(none.body)]).toEqual([
      504,
      expect.objectContaining({ code: 'not_cached' }),
    ]);
    expect(asked()).toBe(4);
  });

  it('goes when an unsafe request changes it, or what its answer names', async () => {
    const { get, behave } = await setup.cached({}, numbered, {
      allowedRoutes: [
        { path: '/', methods: ['GET'], cache: {} },
        { path: '/', methods: ['POST'] },
      ],
      cache: undefined,
    });
    const paths = ['/api/x', '/api/x?page=2', '/api/y', '/api/z'];
    const statuses = async (): Promise<string[]> =>
      Promise.all(paths.map(async (path) => (/hit/.test(cacheStatus(await get(path))) ? 'hit' : 'miss')));
    await statuses();
    behave((request, count) =>
      request.method === 'POST'
        ? { status: 201, headers: { Location: '/api/y', 'Content-Location': 'http://elsewhere.test/api/z' } }
        : numbered(request, count),
    );
    const posted = await get('/api/x', {}, { method: 'POST', body: {} });
    expect(cacheStatus(posted)).toBe('gatehouse; fwd=method; fwd-status=201');
    expect(await statuses()).toEqual(['miss', 'hit', 'miss', 'hit']);
    behave((request, count) => (request.method === 'POST' ? { status: 400 } : numbered(request, count)));
    await get('/api/x', {}, { method: 'POST', body: {} });
    expect(await statuses()).toEqual(['hit', 'hit', 'hit', 'hit']);
  });

  it('is fresh for as long as the policy says: 60 seconds for whatever GET answers well, whatever it says itself', async () => {
    const { get, asked, behave } = await setup.cached(
      { ttlSeconds: 60, methods: ['GET'] },
      (_request, count) => ({
        body: String(count),
      }),
    );
    await get('/api/x');
    const hit = await get('/api/x');
    expect([hit.body, cacheStatus(hit)]).toEqual(['1', expect.stringMatching(/hit; ttl=(59|60)/)]);
    expect((await get('/api/x', {}, { method: 'HEAD' })).headers).not.toHaveProperty('cache-status');
    behave(() => ({ status: 404 }));
    for (const _ of [1, 2])
      expect(cacheStatus(await get('/api/none'))).toMatch(/fwd=uri-miss; fwd-status=404; detail=no-lifetime/);
    expect(asked()).toBe(4);
  });
});

describe('a published route', () => {
  it('has a policy of its own, and changes the headers of what is stored for each client', async () => {
    const { gateway } = setup;
    const { id, upstream } = await setup.cached(undefined, numbered, { cache: undefined });
    const made = await gateway.admin('POST', `/admin/tenants/${id}/services`, {
      name: 's',
      targets: [{ url: upstream.url }],
    });
    const backends = [{ service: (made.body as { id: string }).id }];
    const routes = [
      { name: 'r', path: '/pub', backends, cache: {}, responseHeaders: { 'X-Route': 'r', ETag: '' } },
    ];
    expect((await gateway.admin('PUT', `/admin/tenants/${id}/publication`, { routes })).status).toBe(200);
    const get = () => send(`${gateway.url}/pub/x`);
    while ((await get()).status === 404);
    const hit = await get();
    expect([hit.status, hit.headers['x-route'], cacheStatus(hit)]).toEqual([
      200,
      'r',
      expect.stringMatching(/; hit;/),
    ]);
    expect(upstream.requests).toHaveLength(1);
  });
});

describe('a hit', () => {
  it('takes from every limit, and is counted and logged like a forwarded request', async () => {
    const { gateway } = setup;
    const rateLimit = { windowSeconds: 3600, maxRequests: 3 };
    const { id, get, asked } = await setup.cached({}, numbered, { rateLimit });
    for (const outcome of ['miss', 'hit', 'hit']) {
      const { headers } = await get('/api/x');
      const line = await waitFor('its line', () =>
        gateway.logs.find(({ msg, requestId }) => msg === 'request' && requestId === headers['x-request-id']),
      );
      expect(line).toMatchObject({ cache: outcome, status: 200, decision: 'allow', bytesOut: 8 });
    }
    expect((await get('/api/x')).status).toBe(429);
    expect(asked()).toBe(1);
    const usage = async (): Promise<unknown> =>
      (await gateway.admin('GET', `/admin/tenants/${id}/usage`)).body;
    await waitFor('its usage', async () => JSON.stringify(await usage()).includes('"requests":3'));
    const { body } = await gateway.admin('GET', '/metrics');
    expect(body).toMatch(/^gateway_cache_requests_total\{result="hit"\} \d+$/m);
    expect(body).toMatch(/^gateway_cache_memory_bytes \d+$/m);
    const shown = await gateway.admin('GET', `/admin/tenants/${id}/cache`);
    expect(shown.body).toMatchObject({ memory: { entries: 1, requests: { hit: 2, miss: 1 } }, shared: null });
  });

  it('is the same over HTTP/2', async () => {
    const tls = await startTlsForwarding();
    const { key, requests } = await tls.upstream(
      (_request, response) => void response.setHeader('Cache-Control', 'max-age=60').end('body'),
      { cache: {} },
    );
    const session = await openHttp2(tls.gateway.tlsPort);
    const fields = { ':path': '/api/x', ':authority': 'gateway.test', 'x-api-key': key };
    await ask(session, fields);
    const hit = await ask(session, fields);
    expect([hit.status, hit.body, hit.headers['cache-status']]).toEqual([
      200,
      'body',
      expect.stringMatching(/; hit;/),
    ]);
    expect((await ask(session, { ...fields, 'if-none-match': '*' })).status).toBe(304);
    expect(requests).toHaveLength(1);
  });
});
