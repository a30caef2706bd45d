import { gzipSync } from 'node:zlib';
import { describeStores, refusal, startStage, tenantDocument, type Stage } from './stage';

const IDP = { issuer: 'https://auth.acme.com', jwksUri: 'https://auth.acme.com/jwks', audience: 'api' };
const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

/** A change of a valid document, and the fields that the refusal must name. */
const BAD_FIELDS: Array<[change: Record<string, unknown>, ...fields: string[]]> = [
  [{ id: '' }, 'id'],
  [{ id: 7 }, 'id'],
  [{ id: 'a b' }, 'id'],
  [{ id: 'a:b' }, 'id'],
  [{ id: '../x' }, 'id'],
  [{ id: '-x' }, 'id'],
  [{ id: 'x'.repeat(65) }, 'id'],
  [{ name: undefined }, 'name'],
  [{ name: null }, 'name'],
  [{ name: '' }, 'name'],
  [{ name: 7 }, 'name'],
  [{ name: ['x'] }, 'name'],
  [{ name: 'x'.repeat(201) }, 'name'],
  [{ upstreamBaseUrl: undefined }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'api.acme.com' }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'ftp://api.acme.com' }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'file:///etc/passwd' }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'javascript:alert(1)' }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'http://' }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'http://user:pass@api.acme.com' }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'http://api.acme.com/?x=1' }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'http://api.acme.com:99999' }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: { href: 'http://x' } }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'http://169.254.169.254/latest/meta-data' }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'http://[::ffff:169.254.169.254]/' }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'http://[::ffff:a9fe:a9fe]/' }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'http://2852039166/' }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'http://0xa9.0xfe.0xa9.0xfe/' }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'http://[fe80::1]/' }, 'upstreamBaseUrl'],
  [{ upstreamBaseUrl: 'http://0.0.0.0/' }, 'upstreamBaseUrl'],
  [{ allowedRoutes: undefined }, 'allowedRoutes'],
  [{ allowedRoutes: {} }, 'allowedRoutes'],
  [{ allowedRoutes: '/v1' }, 'allowedRoutes'],
  [{ allowedRoutes: [null] }, 'allowedRoutes.0'],
  [{ allowedRoutes: [{ path: '/a' }, '/b'] }, 'allowedRoutes.1'],
  [{ allowedRoutes: [[{ path: '/a' }]] }, 'allowedRoutes.0'],
  [{ allowedRoutes: [{ path: '/a' }, {}] }, 'allowedRoutes.1.path'],
  [{ allowedRoutes: [{ path: 7 }] }, 'allowedRoutes.0.path'],
  [{ allowedRoutes: [{ path: 'a' }] }, 'allowedRoutes.0.path'],
  [{ allowedRoutes: [{ path: '/a/%2e%2e%2fb' }] }, 'allowedRoutes.0.path'],
  [{ allowedRoutes: [{ path: '/a*' }] }, 'allowedRoutes.0.path'],
  [{ allowedRoutes: [{ path: '/a' }, { path: '/a/' }] }, 'allowedRoutes.1.path'],
  [{ allowedRoutes: [{ path: '/a', methods: [] }] }, 'allowedRoutes.0.methods'],
  [{ allowedRoutes: [{ path: '/a', methods: ['get'] }] }, 'allowedRoutes.0.methods'],
  [{ allowedRoutes: [{ path: '/a', methods: [1] }] }, 'allowedRoutes.0.methods'],
  [{ allowedRoutes: [{ path: '/a', auth: { jwt: 'yes' } }] }, 'allowedRoutes.0.auth.jwt'],
  [{ allowedRoutes: [{ path: '/a', auth: { jwt: true } }] }, 'allowedRoutes.0.auth.jwt'],
  [{ allowedRoutes: [{ path: '/a', pth: '/b' }] }, 'allowedRoutes.0.pth'],
  [{ auth: [] }, 'auth.jwt'],
  [{ auth: { jwt: 1 } }, 'auth.jwt'],
  [{ auth: { jwt: true } }, 'auth.jwt'],
  [{ rateLimit: 100 }, 'rateLimit'],
  [{ rateLimit: [] }, 'rateLimit'],
  [{ rateLimit: { windowSeconds: 60 } }, 'rateLimit.maxRequests'],
  [{ rateLimit: { windowSeconds: 0, maxRequests: 1 } }, 'rateLimit.windowSeconds'],
  [
    { rateLimit: { windowSeconds: -60, maxRequests: -1 } },
    'rateLimit.windowSeconds',
    'rateLimit.maxRequests',
  ],
  [{ rateLimit: { windowSeconds: 1.5, maxRequests: 1 } }, 'rateLimit.windowSeconds'],
  [
    { rateLimit: { windowSeconds: '60', maxRequests: '1' } },
    'rateLimit.windowSeconds',
    'rateLimit.maxRequests',
  ],
  [{ rateLimit: { windowSeconds: 2_678_400, maxRequests: 1_000_000_000 } }, 'rateLimit'],
  [{ idp: 'https://auth' }, 'idp'],
  [{ idp: {} }, 'idp.issuer', 'idp.audience'],
  [{ idp: { issuer: 'no address', audience: 'a' } }, 'idp.issuer'],
  [{ idps: [{ issuer: 'https://a.test', audience: 'a', secrets: ['short'] }] }, 'idps.0.secrets.0'],
  [
    { idps: [{ issuer: 'https://a.test', audience: 'a', secrets: [{ env: 'PATH' }] }] },
    'idps.0.secrets.0.env',
  ],
  [{ idps: [{ issuer: 'http://169.254.169.254', audience: 'a' }] }, 'idps.0.issuer'],
  [{ idps: [{ issuer: 'https://a.test', audience: 'a', secret: 'x' }] }, 'idps.0.secret'],
  [{ serviceTokens: 'yes' }, 'serviceTokens'],
  [{ auth: { jwt: false, claims: {} } }, 'auth.claims'],
  [{ allowedRoutes: [{ path: '/', auth: { jwt: false, scope: ['a'] } }] }, 'allowedRoutes.0.auth.scope'],
  [{ allowedRoutes: [{ path: '/', auth: { jwt: false, scopes: [] } }] }, 'allowedRoutes.0.auth.scopes'],
  [
    { allowedRoutes: [{ path: '/', auth: { jwt: false, claimHeaders: { Host: 'sub' } } }] },
    'allowedRoutes.0.auth.claimHeaders.Host',
  ],
  [{ idp: { ...IDP, jwksUri: 'http://169.254.169.254/jwks' } }, 'idp.jwksUri'],
  [{ idp: { ...IDP, jwksUri: 'http://[::ffff:169.254.169.254]/jwks' } }, 'idp.jwksUri'],
  [{ idp: { ...IDP, algorithms: ['none'] } }, 'idp.algorithms'],
  [{ idp: { ...IDP, algorithms: ['HS256'] } }, 'idp.algorithms'],
  [{ idp: { ...IDP, secret: 'x' } }, 'idp.secret'],
  [{ timeouts: { connectMs: 0 } }, 'timeouts.connectMs'],
  [{ timeouts: { connectMs: '1' } }, 'timeouts.connectMs'],
  [{ timeouts: { foreverMs: 1 } }, 'timeouts.foreverMs'],
  [{ retries: 3 }, 'retries'],
  [{ retries: { attempts: 11 } }, 'retries.attempts'],
  [{ retries: { tries: 1 } }, 'retries.tries'],
  [{ retries: { statuses: [404], jitter: 1 } }, 'retries.statuses', 'retries.jitter'],
  [{ suspended: 'false' }, 'suspended'],
  [{ suspended: 0 }, 'suspended'],
  [{ unknown: 1 }, 'unknown'],
  [{ toString: 1 }, 'toString'],
  [{ hasOwnProperty: 1 }, 'hasOwnProperty'],
  [{ constructor: { prototype: { polluted: 1 } } }, 'constructor'],
  [{ prototype: { polluted: 1 } }, 'prototype'],
  [
    { name: 7, rateLimit: { windowSeconds: 'x', maxRequests: 1 }, nope: 1 },
    'name',
    'rateLimit.windowSeconds',
    'nope',
  ],
];

/** Bodies that are no document at all. */
const BAD_BODIES: Array<[title: string, body: string | Uint8Array | undefined, status: number, code: string]> = [
  ['no body', undefined, 400, 'validation_failed'],
  ['an empty body', '', 400, 'validation_failed'],
  ['half an object', '{"id":', 400, 'bad_request'],
  ['trailing rubbish', '{} x', 400, 'bad_request'],
  ['NaN', '{"rateLimit":{"windowSeconds":NaN,"maxRequests":1}}', 400, 'bad_request'],
  ['Infinity by overflow', '{"rateLimit":{"windowSeconds":1e309,"maxRequests":1}}', 400, 'validation_failed'],
  ['a number', '7', 400, 'bad_request'],
  ['a string', '"x"', 400, 'bad_request'],
  ['null', 'null', 400, 'bad_request'],
  ['a list', '[]', 400, 'validation_failed'],
  ['a list of documents', JSON.stringify([tenantDocument('bad')]), 400, 'validation_failed'],
  ['a prototype', '{"__proto__":{"isAdmin":true}}', 400, 'validation_failed'],
  ['a prototype deep inside', '{"idp":{"__proto__":{"issuer":"x"}}}', 400, 'validation_failed'],
  ['200,000 nested lists', `{"name":${deep(200_000)}}`, 400, 'bad_request'],
  ['200,000 nested objects', `{"auth":${'{"jwt":'.repeat(100_000)}1${'}'.repeat(100_000)}}`, 400, 'bad_request'],
  ['100,000 unknown fields', JSON.stringify(Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`f${i}`, 1]))), 400, 'validation_failed'],
  ['invalid UTF-8', new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), 400, 'bad_request'],
  ['more than 1 MiB', JSON.stringify(tenantDocument('bad', { name: 'x'.repeat(1024 * 1024) })), 413, 'body_too_large'],
]; // prettier-ignore

describeStores('bad input', (start) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await start();
    expect(
      (await stage.call('POST', '/admin/tenants', tenantDocument('good', { idp: undefined }))).status,
    ).toBe(201);
  });
  afterAll(() => stage.close());

  /** Whatever was refused left everything as it was. */
  afterEach(async () => {
    const { body } = await stage.call('GET', '/admin/tenants');
    expect(body).toEqual({ tenants: [tenantDocument('good')], nextCursor: null, total: 1 });
    for await (const key of stage.store.documents.scan('tenant:')) expect(key).toBe('tenant:good');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each(BAD_FIELDS)('refuses a tenant with %j and names the field', async (change, ...fields) => {
    const document = { ...tenantDocument('bad'), ...change };
    const created = refusal(await stage.call('POST', '/admin/tenants', document));
    expect(created).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(created.fields).toEqual(expect.arrayContaining(fields));

    const { id, ...rest } = { ...document, id: 'id' in change ? change.id : undefined };
    const body = id === undefined ? rest : { id, ...rest };
    const replaced = refusal(await stage.call('PUT', '/admin/tenants/good', body));
    expect(replaced).toMatchObject({ status: 400, code: 'validation_failed' });
  });

  it.each(BAD_BODIES)('refuses %s', async (_title, body, status, code) => {
    for (const [method, path] of [
      ['POST', '/admin/tenants'],
      ['PUT', '/admin/tenants/good'],
    ] as const) {
      const answer = refusal(await stage.call(method, path, body));
      expect(answer).toMatchObject({ status, code });
      if (code === 'validation_failed') expect(answer.fields.length).toBeGreaterThan(0);
      expect(answer.fields.length).toBeLessThanOrEqual(100);
    }
  });

  it.each([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'json',
  ])('refuses the media type %s', async (type) => {
    const text = JSON.stringify(tenantDocument('bad'));
    for (const [method, path] of [
      ['POST', '/admin/tenants'],
      ['PATCH', '/admin/tenants/good'],
      ['POST', '/admin/explain'],
      ['POST', '/admin/tenants/good/api-keys'],
    ] as const) {
      const answer = refusal(await stage.call(method, path, text, { 'Content-Type': type }));
      expect(answer).toMatchObject({ status: 415, code: 'unsupported_media_type' });
    }
  });

  it('refuses encodings and charsets it cannot read, and bombs before they unfold', async () => {
    const text = JSON.stringify(tenantDocument('bad'));
    const send = async (body: string | Uint8Array, headers: Record<string, string>) =>
      refusal(await stage.call('POST', '/admin/tenants', body, headers)).status;
    expect(await send(text, { 'Content-Encoding': 'zstandard' })).toBe(415);
    expect(await send(text, { 'Content-Type': 'application/json; charset=latin1' })).toBe(415);
    expect(await send(text, { 'Content-Encoding': 'gzip' })).toBe(400);
    expect(
      await send(gzipSync(`{"name":"${'x'.repeat(50 * 1024 * 1024)}"}`), { 'Content-Encoding': 'gzip' }),
    ).toBe(413);
  });

  it.each([
    [{ upstreamBaseUrl: 'http://169.254.169.254' }, 'upstreamBaseUrl'],
    [{ name: null }, 'name'],
    [{ allowedRoutes: null }, 'allowedRoutes'],
    [{ rateLimit: { maxRequests: 5 } }, 'rateLimit.windowSeconds'],
    [{ idp: { issuer: 'x' } }, 'idp.audience'],
    [{ timeouts: { connectMs: -1 } }, 'timeouts.connectMs'],
    [{ auth: { jwt: true } }, 'auth.jwt'],
    [{ unknown: null }, 'unknown'],
    [{ idp: { unknown: null } }, 'idp.unknown'],
  ])('refuses the patch %j and names the field', async (patch, field) => {
    const answer = refusal(await stage.call('PATCH', '/admin/tenants/good', patch));
    expect(answer).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(answer.fields).toContain(field);
  });

  it('judges addresses when they are written, so that a tenant with an old one can still be suspended', async () => {
    const document = tenantDocument('old', { upstreamBaseUrl: 'http://169.254.169.254' });
    await stage.foreignSet('tenant:old', JSON.stringify(document));
    expect((await stage.call('POST', '/admin/tenants/old/suspend')).status).toBe(200);
    const moved = await stage.call('PATCH', '/admin/tenants/old', {
      upstreamBaseUrl: 'http://169.254.169.253',
    });
    expect(refusal(moved).fields).toEqual(['upstreamBaseUrl']);
    expect((await stage.call('DELETE', '/admin/tenants/old')).status).toBe(204);
  });
});

it.each([
  '127.0.0.1',
  'localhost',
  '[::1]',
  '10.1.2.3',
  '192.168.0.1',
  '[fd00::1]',
  '100.64.0.1',
  'x.localhost',
])('refuses the upstream %s where private ones are not allowed', async (host) => {
  const strict = await startStage({ env: { ALLOW_PRIVATE_UPSTREAMS: 'false' } });
  const document = tenantDocument('bad', { upstreamBaseUrl: `http://${host}/` });
  expect(refusal(await strict.call('POST', '/admin/tenants', document)).fields).toEqual(['upstreamBaseUrl']);
  expect((await strict.call('GET', '/tenant')).body).toMatchObject({ tenants: [] });
  await strict.close();
});
