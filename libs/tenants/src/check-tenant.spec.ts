import { AddressPolicy } from './address-policy';
import { checkTenant, parseTenant } from './check-tenant';

const IDP = { issuer: 'https://issuer.test', jwksUri: 'https://issuer.test/jwks', audience: 'api.test' };
const DOCUMENT = {
  id: 'acme',
  name: 'ACME Corp',
  upstreamBaseUrl: 'https://api.acme.example',
  allowedRoutes: [{ path: '/v1/users', auth: { jwt: true } }, { path: '/v1/products' }],
  rateLimit: { windowSeconds: 60, maxRequests: 1000 },
  idp: IDP,
};
const SHARED = {
  issuer: 'partner',
  audience: 'api.test',
  secrets: ['s'.repeat(32), { env: 'GATEWAY_SECRET_A' }],
};
const ASKED = {
  issuer: 'asked',
  introspection: {
    endpoint: 'https://as.test/introspect',
    clientId: 'me',
    clientSecret: { env: 'GATEWAY_SECRET_B' },
  },
};
const DISCOVERED = { issuer: 'https://login.test/realms/a', audience: 'api.test' };
const POLICY = {
  jwt: true,
  issuers: [IDP.issuer, 'gateway'],
  claims: { project: ['acme', 'other'], 'https://acme.test/tier': ['1'] },
  scopes: ['orders:read'],
  roles: ['admin'],
  claimHeaders: { 'X-User': 'sub', 'X-Team': 'https://acme.test/team' },
};
const fieldsOf = (document: unknown, addresses?: AddressPolicy): string[] =>
  (checkTenant(document, addresses).problems ?? []).map(({ field }) => field);

describe('accepts', () => {
  it.each<[title: string, change: object]>([
    ['the documented example', {}],
    ['the least there can be', { allowedRoutes: [], rateLimit: undefined, idp: undefined }],
    ['fields that other programs keep there', { plan: 'gold', $comment: [1], constructor: 1 }],
    ['ids of all kinds', { id: '0.A_b-c' }],
    ['an id of 64 characters', { id: 'a'.repeat(64) }],
    ['an upstream with a port and a base path', { upstreamBaseUrl: 'http://10.0.0.1:8080/base/' }],
    ['routes that end with a wildcard', { allowedRoutes: [{ path: '/v1/*' }, { path: '/' }] }],
    ['colons and dots in a route', { allowedRoutes: [{ path: '/v1/a:b/c.d' }] }],
    [
      'one path for different methods',
      {
        allowedRoutes: [
          { path: '/v1', methods: ['GET'] },
          { path: '/v1', methods: ['POST'] },
          { path: '/v1/' },
        ],
      },
    ],
    ['paths that differ in case only', { allowedRoutes: [{ path: '/v1/a' }, { path: '/v1/A' }] }],
    ['methods of other standards', { allowedRoutes: [{ path: '/v1', methods: ['PROPFIND', 'M-SEARCH'] }] }],
    ['the largest bucket', { rateLimit: { windowSeconds: 1, maxRequests: 1_000_000_000 } }],
    ['the longest window', { rateLimit: { windowSeconds: 31 * 86_400, maxRequests: 1 } }],
    [
      'a limit of a route',
      { allowedRoutes: [{ path: '/v1', rateLimit: { windowSeconds: 1, maxRequests: 1_000_000_000 } }] },
    ],
    ['chosen algorithms', { idp: { ...IDP, algorithms: ['ES256', 'EdDSA'] } }],
    ['a JWKS address with a query', { idp: { ...IDP, jwksUri: 'https://issuer.test/keys?tenant=1' } }],
    ['time-outs', { timeouts: { connectMs: 1, totalMs: 86_400_000 } }],
    ['a suspended tenant', { suspended: true }],
    ['an audience of several', { idp: { ...IDP, audience: ['a', 'b'] } }],
    ['keys that the issuer says where to find', { idp: { ...IDP, jwksUri: undefined } }],
    ['fields of others in the documented provider', { idp: { ...IDP, realm: 'acme' } }],
    ['service tokens beside a provider', { serviceTokens: true }],
    [
      'several providers of all kinds',
      {
        idps: [
          { ...SHARED, algorithms: ['HS256'] },
          { ...ASKED, audience: 'api.test' },
          { ...DISCOVERED, clockToleranceSeconds: 300, requiredClaims: { tier: ['gold'] } },
        ],
      },
    ],
    [
      'sixteen providers',
      { idps: Array.from({ length: 15 }, (_, i) => ({ ...IDP, issuer: `https://${i}.test` })) },
    ],
    ['a policy with everything', { allowedRoutes: [{ path: '/', auth: POLICY }], serviceTokens: true }],
  ])('%s', (_, change) => {
    const document = { ...DOCUMENT, ...change };
    expect(checkTenant(document)).toEqual({ tenant: document });
  });
});

describe('refuses, naming the field', () => {
  const routes = (...list: unknown[]): object => ({ allowedRoutes: list });
  it.each<[field: string, changes: object[]]>([
    [
      'id',
      ['', 'a'.repeat(65), '.a', '-a', '_a', 'a b', 'a/b', 'a:b', 'ä', 'a\n', '{a}', 7, null, undefined].map(
        (id) => ({ id }),
      ),
    ],
    ['name', ['', '  ', 'n'.repeat(201), 7, null, undefined].map((name) => ({ name }))],
    [
      'upstreamBaseUrl',
      [
        '', 'api.acme.example', '//api.acme.example', '/x', 'ftp://a.example', 'file:///etc/passwd', 'javascript:1',
        'http://', 'http://a b/', 'http://[::1', 'http://1.2.3.4.5/', 'http://user@a.example', 'http://:pw@a.example',
        'http://a.example/?x=1', 'http://a.example/#x', 'unix:/run/x.sock', 7, null, undefined, ['http://a.example'],
      ].map((upstreamBaseUrl) => ({ upstreamBaseUrl })),
    ], // prettier-ignore
    ['allowedRoutes', [{}, '/v1', null, undefined].map((allowedRoutes) => ({ allowedRoutes }))],
    ['allowedRoutes.1', [null, '/v1', 7, ['/v1']].map((route) => routes({ path: '/' }, route))],
    [
      'allowedRoutes.0.path',
      [
        '', 'v1', '/v1/:id', '/v1/*/x', '/v1*', '/v1?', '/v1?x=1', '/v1#x', '/v1 x', '/v1\\x', '/../v1', '/v1/..;/x',
        '/v1/%2f', '/v1/%2e%2e%2fx', '/v1/%00', '/é', '/v1/%ff', `/${'x'.repeat(8192)}`, 7, null, undefined,
      ].map((path) => routes({ path })),
    ], // prettier-ignore
    [
      'allowedRoutes.1.path',
      ['/v1', '/v1/', '/v1/*', '//v1', '/v1/x/..', '/%76%31'].map((path) =>
        routes({ path: '/v1' }, { path }),
      ),
    ],
    [
      'allowedRoutes.0.methods',
      [[], 'GET', ['get'], ['GET', 7], [''], ['G T'], ['*'], ['A'.repeat(21)], {}, null].map((methods) =>
        routes({ path: '/v1', methods }),
      ),
    ],
    [
      'allowedRoutes.0.auth.jwt',
      [{}, true, 'yes', { jwt: 'true' }, { jwt: 1 }, { jwt: null }, null].map((auth) =>
        routes({ path: '/v1', auth }),
      ),
    ],
    [
      'allowedRoutes.0.rateLimit',
      [100, null, [60, 100], { windowSeconds: 31 * 86_400, maxRequests: 1_000_000_000 }].map((rateLimit) =>
        routes({ path: '/v1', rateLimit }),
      ),
    ],
    [
      'allowedRoutes.0.rateLimit.maxRequests',
      [0, -1, 0.5, '1', NaN, 1_000_000_001, undefined].map((maxRequests) =>
        routes({ path: '/v1', rateLimit: { windowSeconds: 1, maxRequests } }),
      ),
    ],
    ['auth.jwt', [{}, true, { jwt: 'true' }, null].map((auth) => ({ auth }))],
    ['rateLimit', [100, null, [60, 100]].map((rateLimit) => ({ rateLimit }))],
    [
      'rateLimit.windowSeconds',
      [0, -1, 1.5, '60', NaN, Infinity, 31 * 86_400 + 1, null, undefined].map((windowSeconds) => ({
        rateLimit: { windowSeconds, maxRequests: 1 },
      })),
    ],
    [
      'rateLimit.maxRequests',
      [0, -1, 0.5, '1', 1_000_000_001, null, undefined].map((maxRequests) => ({
        rateLimit: { windowSeconds: 1, maxRequests },
      })),
    ],
    ['rateLimit', [{ rateLimit: { windowSeconds: 31 * 86_400, maxRequests: 1_000_000_000 } }]],
    ['idp', ['https://issuer.test', null, []].map((idp) => ({ idp }))],
    [
      'idp.issuer',
      ['', 7, undefined, 'gateway', 'shared-secret'].map((issuer) => ({ idp: { ...IDP, issuer } })),
    ],
    ['idp.audience', ['', [], [''], ['a', 7], undefined].map((audience) => ({ idp: { ...IDP, audience } }))],
    [
      'idp.jwksUri',
      ['', '/jwks', 'ftp://a/', 'data:application/json,{}', 'https://u:p@a/', 'https://a/#k', null].map(
        (jwksUri) => ({ idp: { ...IDP, jwksUri } }),
      ),
    ],
    [
      'idp.algorithms',
      [[], 'RS256', ['none'], ['HS256'], ['RS256', 'HS512'], ['rs256'], null].map((algorithms) => ({
        idp: { ...IDP, algorithms },
      })),
    ],
    ['timeouts', [30, null].map((timeouts) => ({ timeouts }))],
    ['timeouts.connectMs', [0, -1, 1.5, '5', 86_400_001].map((connectMs) => ({ timeouts: { connectMs } }))],
    ['suspended', ['true', 1, null].map((suspended) => ({ suspended }))],
  ])('%s', (field, changes) => {
    const refused = changes.map((change) => [change, fieldsOf({ ...DOCUMENT, ...change })]);
    expect(refused).toEqual(changes.map((change) => [change, [field]]));
  });

  it('all of what is wrong, not only the first', () => {
    const document = { id: '', name: '', upstreamBaseUrl: '', allowedRoutes: [{}], rateLimit: {}, idp: {} };
    expect(fieldsOf(document)).toEqual([
      'id', 'name', 'upstreamBaseUrl', 'allowedRoutes.0.path', 'rateLimit.windowSeconds', 'rateLimit.maxRequests',
      'idp.issuer', 'idp.audience',
    ]); // prettier-ignore
  });

  it('what is no document', () => {
    expect([null, undefined, 7, 'x', [], [DOCUMENT]].map((document) => fieldsOf(document))).toEqual(
      Array.from({ length: 6 }, () => ['']),
    );
  });

  it('a JWT that nobody could have signed', () => {
    const unsigned = { ...DOCUMENT, idp: undefined };
    expect(fieldsOf(unsigned)).toEqual(['allowedRoutes.0.auth.jwt']);
    expect(fieldsOf({ ...unsigned, auth: { jwt: true } })).toEqual(['auth.jwt', 'allowedRoutes.0.auth.jwt']);
    expect(fieldsOf({ ...unsigned, allowedRoutes: [{ path: '/', auth: { jwt: false } }] })).toEqual([]);
    // The gateway itself may have keys; in a stored document that is left to whoever verifies.
    expect(checkTenant({ ...unsigned, auth: { jwt: true } }, undefined, true).problems).toBeUndefined();
    expect(parseTenant('acme', JSON.stringify(unsigned)).problems).toBeUndefined();
  });
});

describe('addresses', () => {
  const document = {
    ...DOCUMENT,
    upstreamBaseUrl: 'http://127.0.0.1:9/',
    idp: { ...IDP, jwksUri: 'http://[::ffff:10.0.0.1]/jwks' },
    idps: [
      { ...DISCOVERED, issuer: 'http://127.0.0.1:9/realm' },
      { ...ASKED, introspection: { ...ASKED.introspection, endpoint: 'http://10.0.0.1/' } },
    ],
  };

  it('are checked against the policy where there is one', () => {
    expect(fieldsOf(document, new AddressPolicy(false))).toEqual([
      'upstreamBaseUrl',
      'idp.jwksUri',
      'idps.0.issuer',
      'idps.1.introspection.endpoint',
    ]);
    expect(fieldsOf(document, new AddressPolicy(true))).toEqual([]);
    const metadata = { ...document, upstreamBaseUrl: 'http://2852039166/' };
    expect(fieldsOf(metadata, new AddressPolicy(true))).toEqual(['upstreamBaseUrl']);
  });

  it('of a stored document are not: they are judged when they are connected to', () => {
    expect(parseTenant('acme', JSON.stringify(document)).problems).toBeUndefined();
  });
});

describe('parseTenant', () => {
  it('gives the tenant the id of its key, whatever the document says', () => {
    const text = JSON.stringify({ ...DOCUMENT, id: 'somebody-else' });
    expect(parseTenant('acme', text).tenant?.id).toBe('acme');
  });

  it.each(['', '{', 'null', '[]', '"acme"', '{"id":"acme"', '\ufeff{}', 'not json'])(
    'says what is wrong with %j',
    (text) => {
      const { tenant, problems } = parseTenant('acme', text);
      expect(tenant).toBeUndefined();
      expect(problems).toEqual([
        { field: '', message: expect.stringMatching(/^(?:is not JSON|must be an object)/) },
      ]);
    },
  );

  it('takes nothing from a prototype that the text brings along', () => {
    const { tenant } = parseTenant(
      'acme',
      JSON.stringify(DOCUMENT).replace('{', '{"__proto__":{"suspended":true},'),
    );
    expect(tenant?.suspended).toBeUndefined();
  });
});
