import { checkPublication, parsePublication } from './check-publication';

const ROUTE = { name: 'a', path: '/a', backends: [{ service: '1' }] };
const fieldsOf = (...routes: unknown[]): string[] | undefined =>
  checkPublication({ tenantId: 'acme', routes }).problems?.map(({ field }) => field);
const change = (more: object): string[] | undefined => fieldsOf({ ...ROUTE, ...more });

it.each<[title: string, more: object]>([
  ['the least', {}],
  ['the root', { path: '/' }],
  ['hosts', { hosts: ['a.test', 'localhost', '127.0.0.1', '*.a-b.test', 'xn--bcher-kva.example'] }],
  ['methods', { methods: ['GET', 'PROPFIND'] }],
  ['headers to match', { headers: { 'X-Canary': 'yes please' } }],
  [
    'several backends',
    {
      backends: [
        { service: '1', weight: 0 },
        { service: 'acme.b', weight: 1000 },
      ],
    },
  ],
  ['prefixes', { path: '/a/b', stripPrefix: '/a', addPrefix: '/v1/' }],
  ['a prefix that is stripped as it is', { stripPrefix: true }],
  [
    'headers to set',
    { requestHeaders: { Authorization: 'Basic x', 'X-A': '' }, responseHeaders: { Server: '' } },
  ],
  ['auth', { auth: { jwt: true, apiKey: true } }],
  ['a limit', { rateLimit: { windowSeconds: 1, maxRequests: 1 } }],
  ['what only looks like the gateway’s', { path: '/apis' }],
])('accepts %s', (_, more) => {
  expect(change(more)).toBeUndefined();
});

it('accepts nothing at all, and what belongs together', () => {
  expect(fieldsOf()).toBeUndefined();
  const rules = [
    { methods: ['GET'] },
    { methods: ['POST'] },
    { headers: { 'X-A': '1' } },
    { headers: { 'X-A': '2' } },
    { hosts: ['a.test'] },
    { path: '/A' },
    {},
  ].map((more, i) => ({ ...ROUTE, ...more, name: `r${i}` }));
  expect(fieldsOf(...rules)).toBeUndefined();
});

const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

describe('refuses, naming the field', () => {
  it.each<[field: string, changes: object[]]>([
    ['name', ['', 'a b', 'a/b', 'n'.repeat(101), 7, null, undefined].map((name) => ({ name }))],
    [
      'path',
      [
        undefined, 7, '', 'a', '/a?b', '/a#b', '/:a', '/a*', '/../a', '/a%2fb', '/a\\b', '/%zz', '/x'.repeat(17),
        `/${'x'.repeat(1024)}`, '/api', '/api/v1', '/proxy', '/admin/x', '/tenant', '/metrics', '/docs', '/redoc',
        '/register-api', '/me', '/services', '/api-keys', '/usage', '/billing/x', '/.well-known', '/livez', '/readyz',
        '/ping', '/health', '/healthz', '/Admin', '/admin;x', '/x/../admin', '//admin', '/%61dmin', '/admin./x',
      ].map((path) => ({ path })),
    ], // prettier-ignore
    ['hosts', ['a.test', [], {}, many(51, (i) => `h${i}.test`)].map((hosts) => ({ hosts }))],
    [
      'hosts.0',
      [
        'A.test', 'a.test:80', '*', '*.test', 'a.*.test', '*a.test', '**.a.test', 'a..test', '.a.test', 'a.test.', '-a.test',
        'a_b.test', 'ä.test', '[::1]', '', 7, null, `${'a'.repeat(64)}.test`, `${'a.'.repeat(126)}ab`,
      ].map((host) => ({ hosts: [host] })),
    ], // prettier-ignore
    ['hosts.1', [{ hosts: ['a.test', 'a.test'] }]],
    [
      'methods',
      ['GET', [], ['get'], [''], ['G E T'], [7], many(21, (i) => `M${'A'.repeat(i % 18)}`)].map(
        (methods) => ({ methods }),
      ),
    ],
    [
      'headers',
      ['x', [], null, { 'a b': '1' }, Object.fromEntries(many(51, (i) => [`x-${i}`, '1']))].map(
        (headers) => ({ headers }),
      ),
    ],
    ['headers.Host', [{ headers: { Host: 'a.test' } }]],
    ['headers.X-A', ['', 7, null, 'ä', 'a\nb', ' a', 'a '].map((value) => ({ headers: { 'X-A': value } }))],
    ['headers.x_a', [{ headers: { 'X-A': '1', x_a: '2' } }]],
    ['headers.Authorization', [{ headers: { Authorization: 'x' } }]],
    ['requestHeaders.X-Api-Key', [{ requestHeaders: { 'X-Api-Key': 'x' } }]],
    ['requestHeaders.x_forwarded_for', [{ requestHeaders: { x_forwarded_for: '1.2.3.4' } }]],
    ['requestHeaders.Content-Length', [{ requestHeaders: { 'Content-Length': '' } }]],
    ['requestHeaders.Transfer.Encoding', [{ requestHeaders: { 'Transfer.Encoding': 'chunked' } }]],
    ['responseHeaders.Connection', [{ responseHeaders: { Connection: 'close' } }]],
    [
      'responseHeaders.Access-Control-Allow-Origin',
      [{ responseHeaders: { 'Access-Control-Allow-Origin': '*' } }],
    ],
    ['responseHeaders.X-A', [{ responseHeaders: { 'X-A': 'a\r\nSet-Cookie: b' } }]],
    [
      'backends',
      [
        undefined,
        [],
        {},
        '1',
        many(21, (i) => ({ service: String(i + 1) })),
        [{ service: '1', weight: 0 }],
      ].map((backends) => ({ backends })),
    ],
    ['backends.0', ['1', null, 1].map((backend) => ({ backends: [backend] }))],
    [
      'backends.0.service',
      ['', '0', '01', 'a/b', 1, undefined].map((service) => ({ backends: [{ service }] })),
    ],
    [
      'backends.0.weight',
      [-1, 1.5, 1001, '1', null].map((weight) => ({ backends: [{ service: '1', weight }] })),
    ],
    ['backends.0.url', [{ backends: [{ service: '1', url: 'http://a.test' }] }]],
    ['backends.1.service', [{ backends: [{ service: '1' }, { service: '1' }] }]],
    ['stripPrefix', ['/b', '/a/b', '/aa', 'a', 7, null, '/a%2f'].map((stripPrefix) => ({ stripPrefix }))],
    ['addPrefix', ['v1', '/a?b', '/..', 7, null].map((addPrefix) => ({ addPrefix }))],
    ['auth.jwt', [{ auth: {} }, { auth: { apiKey: true } }, { auth: true }, { auth: { jwt: 'yes' } }]],
    ['auth.apiKey', [{ auth: { jwt: false, apiKey: 'yes' } }]],
    ['rateLimit', [{ rateLimit: 10 }, { rateLimit: null }]],
    ['upstream', [{ upstream: 'http://a.test' }]],
  ])('%s', (field, changes) => {
    for (const more of changes) expect([more, change(more)]).toEqual([more, [`routes.0.${field}`]]);
  });

  it('the second of two that take the same', () => {
    const same: Array<[object, object]> = [
      [{}, {}],
      [{ path: '/a/*' }, { path: '/x/../a/' }],
      [{ methods: ['GET', 'PUT'] }, { methods: ['HEAD'] }],
      [{ hosts: ['a.test', 'b.test'] }, { hosts: ['b.test'] }],
      [{ headers: { 'X-A': '1', 'X-B': '2' } }, { headers: { 'x-b': '2', 'x-a': '1' } }],
    ];
    for (const [one, other] of same) {
      const fields = fieldsOf({ ...ROUTE, ...one }, { ...ROUTE, ...other, name: 'b' });
      expect([one, other, fields]).toEqual([one, other, ['routes.1.path']]);
    }
    expect(fieldsOf(ROUTE, { ...ROUTE, path: '/b' })).toEqual(['routes.1.name']);
  });

  it('more than can be compiled or tried in good time', () => {
    const named = (more: (i: number) => object) => (i: number) => ({ ...ROUTE, name: `r${i}`, ...more(i) });
    expect(
      fieldsOf(
        ...many(
          1001,
          named((i) => ({ path: `/r${i}` })),
        ),
      ),
    ).toEqual(['routes']);
    expect(
      fieldsOf(
        ...many(
          21,
          named((i) => ({ headers: { 'X-A': String(i) } })),
        ),
      ),
    ).toEqual(['routes.20.path']);
    const hosts = many(50, (i) => `h${i}.test`);
    expect(
      fieldsOf(
        ...many(
          101,
          named((i) => ({ path: `/r${i}`, hosts })),
        ),
      ),
    ).toEqual(['routes']);
  });

  it.each([undefined, null, [], 'x', 7])('what is no document: %j', (document) => {
    expect(checkPublication(document).problems).toEqual([{ field: '', message: 'must be an object' }]);
  });
});

it('takes whose it is from the key of the document', () => {
  const text = JSON.stringify({ tenantId: 'other', routes: [] });
  expect(parsePublication('acme', text)).toEqual({ publication: { tenantId: 'acme', routes: [] } });
  expect(parsePublication('acme', '{').problems?.[0]?.message).toMatch(/is not JSON/);
});
