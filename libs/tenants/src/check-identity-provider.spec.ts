import { checkTenant } from './check-tenant';

const IDP = { issuer: 'https://issuer.test', jwksUri: 'https://issuer.test/jwks', audience: 'api.test' };
const DOCUMENT = {
  id: 'acme',
  name: 'ACME Corp',
  upstreamBaseUrl: 'https://api.acme.example',
  allowedRoutes: [{ path: '/v1/users', auth: { jwt: true } }],
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
const fieldsOf = (document: unknown): string[] =>
  (checkTenant(document).problems ?? []).map(({ field }) => field);

describe('refuses whose tokens and which tokens count, naming the field', () => {
  const routes = (...list: unknown[]): object => ({ allowedRoutes: list });
  it.each<[field: string, changes: object[]]>([
    ['serviceTokens', ['yes', 1, null].map((serviceTokens) => ({ serviceTokens }))],
    ['auth.claims', [{ auth: { jwt: true, claims: { a: ['b'] } } }]],
    [
      'idps',
      [{}, 'x', null, Array.from({ length: 16 }, (_, i) => ({ ...IDP, issuer: `https://${i}.test` }))].map(
        (idps) => ({ idps }),
      ),
    ],
    ['idps.0', [null, 'https://issuer.test', []].map((one) => ({ idps: [one] }))],
    ['idps.0.issuer', [{ idps: [IDP] }, { idps: [{ ...DISCOVERED, issuer: 'no address' }] }]],
    ['idps.0.issuer', [{ idps: [{ ...DISCOVERED, issuer: 'https://a.test/?x=1' }] }]],
    ['idps.1.issuer', [{ idps: [DISCOVERED, { ...SHARED, issuer: DISCOVERED.issuer }] }]],
    ['idps.0.scope', [{ idps: [{ ...DISCOVERED, scope: ['a'] }] }]],
    [
      'idps.0.secrets',
      [[], 'x'.repeat(32), null, Array(9).fill('s'.repeat(32))].map((secrets) => ({
        idps: [{ ...SHARED, secrets }],
      })),
    ],
    [
      'idps.0.secrets.0',
      ['', 's'.repeat(31), 7, null, 's'.repeat(1025)].map((secret) => ({
        idps: [{ ...SHARED, secrets: [secret] }],
      })),
    ],
    [
      'idps.0.secrets.0.env',
      [
        'PATH',
        'ADMIN_TOKEN',
        'REDIS_PASSWORD',
        'GATEWAY_JWT_SECRET',
        'GATEWAY_SECRET_',
        'gateway_secret_a',
        'XGATEWAY_SECRET_A',
        'GATEWAY_SECRET_A\nB',
        7,
        null,
      ].map((env) => ({ idps: [{ ...SHARED, secrets: [{ env }] }] })),
    ],
    [
      'idps.0.secrets.0.default',
      [{ idps: [{ ...SHARED, secrets: [{ env: 'GATEWAY_SECRET_A', default: 'x' }] }] }],
    ],
    ['idps.0.secrets', [{ idps: [{ ...DISCOVERED, jwksUri: 'https://a.test/', secrets: SHARED.secrets }] }]],
    ['idps.0.introspection', [{ idps: [{ ...SHARED, introspection: ASKED.introspection }] }]],
    ['idps.1.introspection', [{ idps: [ASKED, { ...ASKED, issuer: 'another' }] }]],
    [
      'idps.0.introspection.endpoint',
      [{ idps: [{ ...ASKED, introspection: { ...ASKED.introspection, endpoint: 'ftp://a' } }] }],
    ],
    [
      'idps.0.introspection.clientSecret',
      [{ idps: [{ ...ASKED, introspection: { ...ASKED.introspection, clientSecret: '' } }] }],
    ],
    [
      'idps.0.algorithms',
      [
        { idps: [{ ...SHARED, algorithms: ['RS256'] }] },
        { idps: [{ ...SHARED, secrets: ['s'.repeat(32)], algorithms: ['HS256', 'HS512'] }] },
        { idps: [{ ...ASKED, algorithms: ['RS256'] }] },
        { idps: [{ ...DISCOVERED, algorithms: ['HS256'] }] },
      ],
    ],
    [
      'idps.0.clockToleranceSeconds',
      [-1, 301, 0.5, '5', null].map((clockToleranceSeconds) => ({
        idps: [{ ...DISCOVERED, clockToleranceSeconds }],
      })),
    ],
    [
      'idps.0.requiredClaims',
      [[], 'x', null].map((requiredClaims) => ({ idps: [{ ...DISCOVERED, requiredClaims }] })),
    ],
    [
      'idps.0.requiredClaims.tier',
      [[], 'gold', [7], ['']].map((tier) => ({ idps: [{ ...DISCOVERED, requiredClaims: { tier } }] })),
    ],
    ...['issuers', 'scopes', 'roles'].map((field): [string, object[]] => [
      `allowedRoutes.0.auth.${field}`,
      [[], 'x', [7], [''], {}, null].map((value) =>
        routes({ path: '/', auth: { jwt: true, [field]: value } }),
      ),
    ]),
    [
      'allowedRoutes.0.auth.issuers',
      [routes({ path: '/', auth: { jwt: true, issuers: ['https://nobody.test'] } })],
    ],
    ['allowedRoutes.0.auth.issuers', [routes({ path: '/', auth: { jwt: true, issuers: ['gateway'] } })]],
    ['allowedRoutes.0.auth.scope', [routes({ path: '/', auth: { jwt: true, scope: ['a'] } })]],
    [
      'allowedRoutes.0.auth.scopes',
      [['a b'], ['a"'], ['ä']].map((scopes) => routes({ path: '/', auth: { jwt: true, scopes } })),
    ],
    [
      'allowedRoutes.0.auth.claims',
      [[], 'x', null].map((claims) => routes({ path: '/', auth: { jwt: true, claims } })),
    ],
    [
      'allowedRoutes.0.auth.claims.project',
      ['acme', [], [1]].map((project) => routes({ path: '/', auth: { jwt: true, claims: { project } } })),
    ],
    ...[
      'Host',
      'Content-Length',
      'Transfer-Encoding',
      'Connection',
      'X-Forwarded-For',
      'x-request-id',
      'Authorization',
      'Cookie',
      'X-API-Key',
      'Proxy-Authorization',
      'Sec-WebSocket-Key',
      'X_User',
      'X User',
      'X-User:',
      'X.User',
      '1st',
      '',
    ].map((name): [string, object[]] => [
      `allowedRoutes.0.auth.claimHeaders.${name}`,
      [routes({ path: '/', auth: { jwt: true, claimHeaders: { [name]: 'sub' } } })],
    ]),
    [
      'allowedRoutes.0.auth.claimHeaders.x-user',
      [routes({ path: '/', auth: { jwt: true, claimHeaders: { 'X-User': 'sub', 'x-user': 'jti' } } })],
    ],
    [
      'allowedRoutes.0.auth.claimHeaders.X-User',
      ['', 7, null, ['sub']].map((claim) =>
        routes({ path: '/', auth: { jwt: true, claimHeaders: { 'X-User': claim } } }),
      ),
    ],
  ])('%s', (field, changes) => {
    const refused = changes.map((change) => [change, fieldsOf({ ...DOCUMENT, ...change })]);
    expect(refused).toEqual(changes.map((change) => [change, [field]]));
  });
});
