import { SHARED_SECRET, sharedToken } from '../support/own-token-attacks';
import { send } from '../support/traffic';
import { cacheStatus, numbered, startCached, type Behaviour, type CacheSetup } from './cache-setup';

let setup: CacheSetup;
beforeAll(async () => {
  const env = { CACHE_MEMORY_BYTES: '2000000', TRUSTED_PROXIES: 'loopback', JWT_SECRET_KEY: SHARED_SECRET };
  setup = await startCached(env);
});

const bearer = (claims: Record<string, unknown>): Record<string, string> => ({
  Authorization: `Bearer ${sharedToken(claims)}`,
});

describe('who gets what is stored', () => {
  it('another tenant never does, with the same upstream, path and everything', async () => {
    const one = await setup.cached();
    const other = await setup.keyFor(one.upstream.url, { cache: {} });
    await one.get('/api/x');
    const answer = await send(`${setup.gateway.url}/api/x`, { headers: { 'X-API-Key': other } });
    expect([answer.body, cacheStatus(answer)]).toEqual(['answer 2', expect.stringContaining('fwd=uri-miss')]);
  });

  it('a principal gets what it got itself: by subject and rights and not by token, by credential, by cookie', async () => {
    const { get } = await setup.cached({}, numbered, {
      allowedRoutes: [{ path: '/jwt', auth: { jwt: true } }, { path: '/' }],
    });
    const rows: Array<[path: string, headers: Record<string, string>, body: string]> = [
      ['/api/jwt', bearer({ sub: 'ann', roles: ['admin'] }), 'answer 1'],
      ['/api/jwt', bearer({ sub: 'ann', roles: ['admin'], iat: 1, jti: 'renewed' }), 'answer 1'],
      ['/api/jwt', bearer({ sub: 'ann' }), 'answer 2'],
      ['/api/jwt', bearer({ sub: 'bob', roles: ['admin'] }), 'answer 3'],
      ['/api/x', {}, 'answer 4'],
      ['/api/x', { Authorization: 'Basic YTph' }, 'answer 5'],
      ['/api/x', { Authorization: 'Basic YjpiOg==' }, 'answer 6'],
      ['/api/x', { Authorization: 'Basic YTph' }, 'answer 5'],
      ['/api/x', { Cookie: 'session=a' }, 'answer 7'],
      ['/api/x', { Cookie: 'session=b' }, 'answer 8'],
      ['/api/x', { Cookie: 'session=a' }, 'answer 7'],
      ['/api/x', {}, 'answer 4'],
    ];
    for (const [path, headers, body] of rows)
      expect([headers, (await get(path, headers)).body]).toEqual([headers, body]);
  });

  it('is shared by all where the policy says so, but what carries a credential only if the response permits (RFC 9111 §3.5)', async () => {
    const { get, behave } = await setup.cached({ perIdentity: false, ttlSeconds: 60 });
    const credentials = { Authorization: 'Basic YTph' };
    const silent = [await get('/api/x', credentials), await get('/api/x', { Cookie: 'a=b' })];
    for (const answer of silent) expect(cacheStatus(answer)).toMatch(/detail=authorization/);
    for (const [i, said] of ['public', 's-maxage=60', 'must-revalidate, max-age=60'].entries()) {
      behave((_request, count) => ({ headers: { 'Cache-Control': said }, body: String(count) }));
      const first = await get(`/api/permitted-${i}`, credentials);
      expect((await get(`/api/permitted-${i}`)).body).toBe(first.body);
    }
  });
});

describe('what is not stored', () => {
  const rows: Array<[detail: string, headers: Record<string, string | string[]>]> = [
    ['no-store', { 'Cache-Control': 'no-store' }],
    ['private', { 'Cache-Control': 'PRIVATE="x", max-age=9' }],
    ['vary', { Vary: 'Accept, *' }],
    ['set-cookie', { 'Set-Cookie': 'session=1' }],
    ['no-store', { 'Cache-Control': 'max-age=60, "' }],
  ];
  it.each(rows)('%s: %j, whatever the policy says', async (detail, headers) => {
    const { get, asked } = await setup.cached({ ttlSeconds: 60 }, () => ({ headers }));
    for (const _ of [1, 2]) expect(cacheStatus(await get('/api/x'))).toMatch(new RegExp(`detail=${detail}$`));
    expect(asked()).toBe(2);
  });

  it('parts, bodies that break off or end with their connection, and those that are too large', async () => {
    const answers: Record<string, string> = {
      '/api/part':
        'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nok',
      '/api/odd': 'HTTP/1.1 200 OK\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nok',
      '/api/short': 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok',
      '/api/chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n',
      '/api/closed': 'HTTP/1.1 200 OK\r\n\r\nok',
      '/api/large': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n${'x'.repeat(16)}\r\n0\r\n\r\n`,
    };
    let asked = 0;
    const { key } = await setup.raw(
      ({ socket }, chunk) => {
        asked += 1;
        const path = /^GET (\S+)/.exec(chunk.toString())?.[1] ?? '';
        socket.end(answers[`/api${path}`] ?? '');
      },
      { cache: { ttlSeconds: 60, maxBodyBytes: 10 } },
    );
    for (const path of Object.keys(answers)) {
      const before = asked;
      for (const _ of [1, 2]) await send(setup.gateway.url + path, { headers: { 'X-API-Key': key } });
      expect([path, asked - before]).toEqual([path, 2]);
    }
  });
});

describe('poisoning', () => {
  /** Believes whatever is said about where it is. */
  const reflecting: Behaviour = ({ headers, url }, count) => ({
    headers: { 'Cache-Control': 'public, max-age=60' },
    body: `${count} ${String(headers['x-forwarded-host'])} ${String(headers['x-original-host'])} ${String(headers['x-host'])} ${url}`,
  });

  it('by a host: forged, said by a trusted proxy, or of other headers that the key does not have', async () => {
    const { get, asked } = await setup.cached({}, reflecting);
    const { host } = new URL(setup.gateway.url);
    const clean = await get('/api/x');
    expect(clean.body).toBe(`1 ${host} undefined undefined /x`);
    for (const name of ['X-Original-Host', 'X-Host', 'X_Host', 'X-HTTP-Host-Override', 'X-Original-URI']) {
      const attack = await get('/api/y', { [name]: 'evil.test' });
      expect(cacheStatus(attack)).toMatch(/fwd=bypass; .*detail=header/);
    }
    for (const [name, value] of [
      ['Host', 'evil.test'],
      ['X-Forwarded-Host', 'evil.test'],
      ['X-Forwarded-Proto', 'https'],
    ] as const)
      await get('/api/y', { [name]: value });
    const before = asked();
    expect((await get('/api/y')).body).toBe(`${before + 1} ${host} undefined undefined /y`);
    expect((await get('/api/x')).body).toBe(clean.body);
  });

  it('by parameters that the key leaves out: a semicolon or an odd encoding cannot hide one that counts', async () => {
    const ignoring = await setup.cached({ keyQuery: { ignore: ['utm'] } }, reflecting);
    const including = await setup.cached({ keyQuery: { include: ['id'] } }, reflecting);
    const rows: Array<[query: string, ignored: boolean, included: boolean]> = [
      ['?id=1&utm=a', true, true],
      ['?utm=a;id=2&id=1', false, false],
      ['?utm=a%3Bid=2&id=1', false, false],
      ['?u%74m=b&id=1', true, true],
      ['?utm%ff=b&id=1', false, false],
      ['?id=1&x=1', false, true],
      ['?id=2', false, false],
    ];
    for (const tenant of [ignoring, including]) await tenant.get('/api/x?id=1');
    for (const [query, ignored, included] of rows) {
      const hits = await Promise.all(
        [ignoring, including].map(async ({ get }) => /; hit;/.test(cacheStatus(await get(`/api/x${query}`)))),
      );
      expect([query, ...hits]).toEqual([query, ignored, included]);
    }
  });

  it('by a body, and by a suffix that makes a page look like a file', async () => {
    const { get, asked } = await setup.cached({}, ({ headers }) => ({
      headers: headers.cookie === undefined ? { 'Cache-Control': 'max-age=60' } : {},
      body: `page of ${String(headers.cookie)}`,
    }));
    expect(cacheStatus(await get('/api/x', { 'Content-Length': '2' }, { body: {} }))).toMatch(
      /fwd=bypass; .*detail=body/,
    );
    await get('/api/me/style.css', { Cookie: 'session=victim' });
    expect((await get('/api/me/style.css')).body).toBe('page of undefined');
    expect((await get('/api/me/style.css', { Cookie: 'session=attacker' })).body).toBe(
      'page of session=attacker',
    );
    expect(asked()).toBe(4);
  });

  it('by Vary: each variant is found by what it varies by, and a header that nobody named is not looked at', async () => {
    const { get } = await setup.cached({ varyOn: ['X-Region'] }, (request, count) => ({
      headers: { 'Cache-Control': 'max-age=60', Vary: 'Accept-Language' },
      body: `${count} ${String(request.headers['accept-language'])} ${String(request.headers['x-region'])}`,
    }));
    const rows: Array<[headers: Record<string, string>, body: string]> = [
      [{ 'Accept-Language': 'de' }, '1 de undefined'],
      [{ 'Accept-Language': 'en' }, '2 en undefined'],
      [{ 'Accept-Language': 'de', 'X-Region': 'eu' }, '3 de eu'],
      [{ 'Accept-Language': 'de', 'X-Other': '1' }, '1 de undefined'],
      [{ 'Accept-Language': 'en' }, '2 en undefined'],
    ];
    for (const [headers, body] of rows) expect((await get('/api/x', headers)).body).toBe(body);
  });
});

it('a tenant that asks for ever new things stays within the memory and does not push out what another has', async () => {
  const quiet = await setup.cached();
  const greedy = await setup.cached({}, () => ({
    headers: { 'Cache-Control': 'max-age=60' },
    body: 'x'.repeat(50_000),
  }));
  await quiet.get('/api/x');
  for (let i = 0; i < 60; i++) await greedy.get(`/api/x?${i}`);
  expect(cacheStatus(await quiet.get('/api/x'))).toMatch(/; hit;/);
  const { body } = await setup.gateway.admin('GET', `/admin/tenants/${greedy.id}/cache`);
  const { memory } = body as { memory: { bytes: number; entries: number; maxBytes: number } };
  expect(memory.bytes).toBeLessThanOrEqual(memory.maxBytes);
  expect(memory.entries).toBeGreaterThan(10);
});
