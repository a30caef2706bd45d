import { TRAEFIK_EXAMPLE } from '../../../../test/support/traefik-example';
import { isError, describeProblem } from '../problem';
import { readFile, type ReadFile } from '../read-file';

const ENV: Record<string, string> = {
  GATEWAY_JWT_SECRET: 'the-gateways-own-secret',
  OTHER: 'another-secret-of-theirs-that-is-long',
  GATEWAY_SECRET_OTHER: 'one-more-secret-of-theirs-that-is-long',
  JWT_SECRET_KEY: 'a-secret-that-is-shared',
};
const read = (text: string, file = 'acme.yml'): ReadFile =>
  readFile(file, text, { variables: (name) => ENV[name], ownTokens: true });
const lines = (text: string): string[] =>
  read(text).problems.map((problem) => describeProblem('acme.yml', problem));

it('takes the documented file as it is', () => {
  const { declared, problems } = read(TRAEFIK_EXAMPLE, 'newproject.yml');
  expect(problems.map((problem) => describeProblem('f', problem))).toEqual([
    'f:5:13: http.routers.newproject-service.rule: /newproject/api is compared in whole segments: /newproject/apix is another path',
    'f:11:9: http.routers.newproject-service.entryPoints: websecure: ignored, every listener of the gateway serves every route',
    'f:30:9: http.services.newproject-backend.loadBalancer: the upstream gets its own name as Host, as with passHostHeader: false',
  ]);
  const texts = [...(declared?.documents.texts ?? [])].map(([key, text]) => [
    key,
    text?.startsWith('{') ? (JSON.parse(text) as unknown) : text,
  ]);
  // Whose the path is.
  const claims = texts.filter(([, text]) => text === 'newproject');
  expect(claims).toEqual([[expect.stringMatching(/^gatehouse:published:/), 'newproject']]);
  expect(Object.fromEntries(texts)).toEqual({
    ...Object.fromEntries(claims),
    'tenant:newproject': {
      id: 'newproject',
      name: 'newproject',
      upstreamBaseUrl: 'http://newproject-service.internal:8000',
      allowedRoutes: [],
    },
    'tenant:service:newproject.newproject-backend': {
      id: 'newproject.newproject-backend',
      tenantId: 'newproject',
      name: 'newproject-backend',
      createdAt: '1970-01-01T00:00:00.000Z',
      targets: [{ url: 'http://newproject-service.internal:8000' }],
    },
    'tenant:publication:newproject': {
      tenantId: 'newproject',
      routes: [
        {
          name: 'newproject-service',
          path: '/newproject/api',
          backends: [{ service: 'newproject.newproject-backend' }],
          auth: { jwt: true, issuers: ['gateway'], claims: { project: ['newproject'] } },
          stripPrefix: true,
        },
      ],
    },
  });
});

/** A file with one router, one service, and what a test adds; the parts begin on lines 3, 8 and 13. */
function file({ router = '', service = '', middlewares = '', chain = 'm', more = '' } = {}): string {
  const below = (text: string, indent: string): string => text.replace(/^(?=.)/gm, indent);
  return [
    'http:',
    '  routers:',
    '    r:',
    '      rule: PathPrefix(`/x`)',
    '      service: s',
    ...(middlewares === '' ? [] : [`      middlewares: [${chain}]`]),
    ...(router === '' ? [] : [below(router, '      ')]),
    '  services:',
    '    s:',
    '      loadBalancer:',
    '        passHostHeader: false',
    '        servers: [{ url: http://u.test:1 }]',
    ...(service === '' ? [] : [below(service, '        ')]),
    ...(middlewares === '' ? [] : ['  middlewares:', below(middlewares, '    ')]),
    ...(more === '' ? [] : [more]),
  ].join('\n');
}

const route = (text: string): unknown => read(text).declared?.project.routes[0];
const base = { name: 'r', path: '/x', backends: [{ service: 's' }] };

describe('what is taken over', () => {
  const taken: [what: string, text: string, expected: object][] = [
    ['nothing but a rule', file(), base],
    ['a service by name@file', file().replace('service: s', 'service: s@file'), base],
    ['a middleware by name@file', file({ chain: 'm@file', middlewares: 'm: { addPrefix: { prefix: /v1 } }' }), { ...base, addPrefix: '/v1' }],
    ['stripPrefix of the whole path', file({ middlewares: 'm: { stripPrefix: { prefixes: [/x/] } }' }), { ...base, stripPrefix: true }],
    ['stripPrefix of a part', file({ middlewares: 'm: { stripPrefix: { prefixes: [/y, /x] } }' }).replace('`/x`', '`/x/z`'),
      { ...base, path: '/x/z', stripPrefix: '/x' }],
    ['stripPrefix that removes nothing', file({ middlewares: 'm: { stripPrefix: { prefixes: [/y] } }' }), base],
    ['strip, then add', file({ chain: 'm, n', middlewares: 'm: { stripPrefix: { prefixes: [/x] } }\nn: { addPrefix: { prefix: /v1 } }' }),
      { ...base, stripPrefix: true, addPrefix: '/v1' }],
    ['headers, of which the last wins', file({ chain: 'm, n', middlewares: 'm: { headers: { customRequestHeaders: { X-A: 1, X-B: b }, customResponseHeaders: { X-C: "" } } }\nn: { headers: { customRequestHeaders: { X-A: two } } }' }),
      { ...base, requestHeaders: { 'X-A': 'two', 'X-B': 'b' }, responseHeaders: { 'X-C': '' } }],
    ['a rate limit', file({ middlewares: 'm: { rateLimit: { average: 100, period: 1m, burst: 50 } }' }), { ...base, rateLimit: { windowSeconds: 30, maxRequests: 50 } }],
    ['a fast rate limit with a small burst', file({ middlewares: 'm: { rateLimit: { average: 100 } }' }), { ...base, rateLimit: { windowSeconds: 1, maxRequests: 100 } }],
    ['the tokens of the gateway', file({ middlewares: 'm: { plugin: { jwt: { signingSecret: "{{env "GATEWAY_JWT_SECRET"}}", customClaims: { project: acme, level: [1, 2] } } } }' }),
      { ...base, auth: { jwt: true, issuers: ['gateway'], claims: { project: ['acme'], level: ['1', '2'] } } }],
    ['the gateway’s tokens without claims', file({ middlewares: 'm: { plugin: { jwt: { signingSecret: the-gateways-own-secret } } }' }),
      { ...base, auth: { jwt: true, issuers: ['gateway'] } }],
    ['several routes of one rule', file().replace('`/x`)', '`/x`) || PathPrefix(`/y`)'), base],
    ['an agreeable priority', file({ router: 'priority: 7' }), base],
    ['ruleSyntax', file({ router: 'ruleSyntax: v2' }), base],
    ['tls without options', file({ router: 'tls: { certResolver: le, domains: [] }' }), base],
  ]; // prettier-ignore
  it.each(taken)('%s', (_what, text, expected) => {
    expect(read(text).problems.filter(isError)).toEqual([]);
    expect(route(text)).toEqual(expected);
  });

  it('every part of a rule becomes a route', () => {
    const text = file().replace('`/x`)', '`/x`) || PathPrefix(`/y`) && Method(`GET`)');
    expect(read(text).declared?.project.routes).toEqual([
      base,
      { ...base, name: 'r-2', path: '/y', methods: ['GET'] },
    ]);
  });

  it('weighted services become backends', () => {
    const text = file({
      more: '    w:\n      weighted: { services: [{ name: s, weight: 3 }, { name: t@file }] }\n    t: { loadBalancer: { servers: [{ url: http://t.test }] } }',
    });
    expect(route(text.replace('service: s', 'service: w'))).toEqual({
      ...base,
      backends: [{ service: 's', weight: 3 }, { service: 't', weight: 1 }],
    }); // prettier-ignore
  });

  it('servers with weights and a health check', () => {
    const service =
      'strategy: wrr\nhealthCheck: { path: /up, interval: 1m30s, timeout: 500ms, hostname: h.test, status: 204, method: GET }';
    const text = file({ service }).replace(
      '[{ url: http://u.test:1 }]',
      '[{ url: http://u.test:1, weight: 3 }, { url: http://v.test:1 }]',
    );
    expect(read(text).declared?.project.services.get('s')).toEqual({
      targets: [{ url: 'http://u.test:1', weight: 3 }, { url: 'http://v.test:1' }],
      healthCheck: {
        path: '/up', intervalSeconds: 90, timeoutMs: 500, healthyAfter: 1, unhealthyAfter: 1, expectStatus: 204, host: 'h.test',
      },
    }); // prettier-ignore
  });

  it('another secret is an identity provider of the tenant, by the name of its variable', () => {
    const claims = 'customClaims: { iss: theirs, aud: [a, b], project: acme }';
    const theirs = `plugin: { jwt: { signingSecret: "{{env \`GATEWAY_SECRET_OTHER\`}}", ${claims} } }`;
    const ours = 'plugin: { jwt: { signingSecret: "{{env `GATEWAY_JWT_SECRET`}}", customClaims: { a: b } } }';
    const text = file({ middlewares: `m: { ${theirs} }\nn: { ${theirs} }\no: { ${ours} }` });
    expect(route(text)).toEqual({
      ...base,
      auth: { jwt: true, issuers: ['theirs'], claims: { project: ['acme'] } },
    });
    expect(read(text).declared?.project.tenant).toMatchObject({
      idps: [
        {
          issuer: 'theirs',
          audience: ['a', 'b'],
          algorithms: ['HS256'],
          secrets: [{ env: 'GATEWAY_SECRET_OTHER' }],
        },
      ],
      serviceTokens: true,
    });
    expect(JSON.stringify([...(read(text).declared?.documents.texts ?? [])])).not.toContain(
      ENV.GATEWAY_SECRET_OTHER,
    );
  });

  it('the secret that the gateway shares with others is known by its name', () => {
    const jwt = 'm: { plugin: { jwt: { signingSecret: "{{env `JWT_SECRET_KEY`}}" } } }';
    expect(route(file({ middlewares: jwt }))).toEqual({
      ...base,
      auth: { jwt: true, issuers: ['shared-secret'] },
    });
  });
});

describe('what is said, and the file served', () => {
  const said: [text: string, line: string][] = [
    [file({ router: 'entryPoints: [a, b]' }), '6:20: http.routers.r.entryPoints: a, b: ignored, every listener of the gateway serves every route'],
    [file({ router: 'tls: {}' }), '6:12: http.routers.r.tls: ignored: TLS is a matter of the gateway’s listeners'],
    [file({ middlewares: 'm: { rateLimit: { average: 6, period: 3s, burst: 10 } }' }),
      '13:21: http.middlewares.m.rateLimit: becomes one bucket for all clients of the route, not one for each address: 10 requests at once, refilled over 5 s'],
    [file({ middlewares: 'm: { plugin: { jwt: { signingSecret: the-gateways-own-secret } } }' }),
      '13:42: http.middlewares.m.plugin.jwt.signingSecret: a secret stands in the file: write {{env `NAME`}}'],
    [file({ middlewares: 'm: { plugin: { jwt: { signingSecret: "{{env `GATEWAY_JWT_SECRET`}}" } } }' }),
      '13:25: http.middlewares.m.plugin.jwt: without customClaims the claim "project" must be the name of this file'],
    [file({ middlewares: 'm: { stripPrefix: { prefixes: [/y] } }' }), '6:20: http.routers.r.middlewares: stripPrefix removes nothing from /x'],
    [file().replace('u.test:1', 'u.test:1/base'), '10:26: http.services.s.loadBalancer.servers.0.url: the path of the URL goes before every path that is forwarded'],
    [file().replace('        passHostHeader: false\n', ''), '9:9: http.services.s.loadBalancer: the upstream gets its own name as Host, as with passHostHeader: false'],
  ]; // prettier-ignore
  it.each(said)('%#', (text, line) => {
    expect(lines(text)).toContain(`acme.yml:${line}`);
    expect(read(text).declared).toBeDefined();
  });
});

describe('what is refused by name and line', () => {
  const oneOf = (kind: string): string => file({ middlewares: `m:\n  ${kind}: {}` });
  const refused: [text: string, ...found: string[]][] = [
    ['http: {}\ntcp: {}\nudp: {}\ntls: {}', '1:7: http: needs a service with a loadBalancer', '2:1: tcp: is not supported',
      '3:1: udp: is not supported', '4:1: tls: is not supported'],
    [file({ more: '  serversTransports: {}' }), '11:3: http.serversTransports: is not supported'],
    ['http: 5', '1:7: http: must be an object', '1:7: http: needs a service with a loadBalancer'],
    ...['basicAuth', 'digestAuth', 'forwardAuth', 'ipAllowList', 'ipWhiteList', 'buffering', 'chain', 'circuitBreaker', 'compress',
      'contentType', 'errors', 'grpcWeb', 'inFlightReq', 'passTLSClientCert', 'redirectRegex', 'redirectScheme', 'replacePath',
      'replacePathRegex', 'retry', 'stripPrefixRegex'].map((kind): [string, string] => [oneOf(kind), `14:7: http.middlewares.m.${kind}: is not supported`]),
    [file({ middlewares: 'm: { plugin: { geoblock: {} } }' }), '13:20: http.middlewares.m.plugin.geoblock: is not supported'],
    [file({ middlewares: 'm: { plugin: { jwt: { signingSecret: "{{env `GATEWAY_JWT_SECRET`}}", algorithm: HS512 } } }' }),
      '13:74: http.middlewares.m.plugin.jwt.algorithm: is not supported'],
    ...['', ', customClaims: { iss: i }', ', customClaims: { aud: a }', ', customClaims: { iss: [i, j], aud: a }'].map((claims): [string, string] => [
      file({ middlewares: `m: { plugin: { jwt: { signingSecret: "{{env \`OTHER\`}}"${claims} } } }` }),
      '13:42: http.middlewares.m.plugin.jwt.signingSecret: is neither GATEWAY_JWT_SECRET nor JWT_SECRET_KEY: then customClaims must have one iss, and aud, by which its tokens are told from others',
    ]),
    [file({ middlewares: 'm: { plugin: { jwt: { signingSecret: "{{env `OTHER`}}", customClaims: { iss: i, aud: a } } } }\nn: { plugin: { jwt: { signingSecret: "{{env `OTHER`}}2", customClaims: { iss: i, aud: a } } } }' }),
      '14:42: http.middlewares.n.plugin.jwt.signingSecret: another middleware has another secret for the iss "i"'],
    [file({ middlewares: 'm: { plugin: { jwt: { signingSecret: "{{env `GATEWAY_JWT_SECRET`}}", customClaims: { a: [{}] } } } }' }),
      '13:93: http.middlewares.m.plugin.jwt.customClaims.a: must be a list of texts'],
    [file({ middlewares: 'm: { plugin: { jwt: {} } }' }), '13:25: http.middlewares.m.plugin.jwt: needs a signingSecret'],
    [file({ middlewares: 'm: { headers: { sslRedirect: true, accessControlAllowOriginList: [] } }' }),
      '13:21: http.middlewares.m.headers.sslRedirect: is not supported', '13:40: http.middlewares.m.headers.accessControlAllowOriginList: is not supported'],
    [file({ middlewares: 'm: { rateLimit: { average: 1, sourceCriterion: {} } }' }), '13:35: http.middlewares.m.rateLimit.sourceCriterion: is not supported'],
    [file({ middlewares: 'm: { rateLimit: { average: 0 } }' }), '13:32: http.middlewares.m.rateLimit.average: must be a whole number from 1',
      '13:21: http.middlewares.m.rateLimit: needs an average of at least 1'],
    [file({ middlewares: 'm: { stripPrefix: { prefixes: [x], forceSlash: true } }' }), '13:40: http.middlewares.m.stripPrefix.forceSlash: is not supported',
      '13:35: http.middlewares.m.stripPrefix.prefixes: prefix 1 must begin with /'],
    [file({ middlewares: 'm: { stripPrefix: { prefixes: [/x/y] } }' }), '6:20: http.routers.r.middlewares: stripping /x/y from some paths below /x is not supported'],
    [file({ chain: 'm, n', middlewares: 'm: { addPrefix: { prefix: /v1 } }\nn: { stripPrefix: { prefixes: [/x] } }' }),
      '6:20: http.routers.r.middlewares: stripPrefix after addPrefix is not supported'],
    [file({ chain: 'm, m', middlewares: 'm: { addPrefix: { prefix: /v1 } }' }), '6:20: http.routers.r.middlewares: more than one middleware for addPrefix is not supported'],
    [file({ middlewares: 'm: { addPrefix: {}, headers: {} }' }), '13:8: http.middlewares.m: must be of one kind'],
    [file({ middlewares: 'n: { addPrefix: { prefix: /v1 } }' }), '6:20: http.routers.r.middlewares: there is no middleware called "m" in this file'],
    [file().replace('service: s', 'service: api@internal'), '5:16: http.routers.r.service: there is no service called "api@internal" in this file'],
    [file().replace('      service: s\n', ''), '4:7: http.routers.r: needs a service'],
    [file({ router: 'observability: {}' }), '6:7: http.routers.r.observability: is not supported'],
    [file({ router: 'tls: { options: strict }' }), '6:14: http.routers.r.tls.options: is not supported'],
    [file().replace('`/x`', '`/x`) && HostRegexp(`.+`'), '4:13: http.routers.r.rule: HostRegexp is not supported (character 21)'],
    [file({ service: 'sticky: {}\nserversTransport: t\nresponseForwarding: {}' }), '11:9: http.services.s.loadBalancer.sticky: is not supported',
      '12:9: http.services.s.loadBalancer.serversTransport: is not supported', '13:9: http.services.s.loadBalancer.responseForwarding: is not supported'],
    [file({ service: 'strategy: p2c' }), '11:19: http.services.s.loadBalancer.strategy: is not supported: only wrr is'],
    [file({ service: 'healthCheck: { path: /, port: 1, scheme: https, headers: {}, mode: grpc, followRedirects: false }' }),
      ...([['port', 33], ['scheme', 42], ['headers', 57], ['mode', 70], ['followRedirects', 82]] as const).map(
        ([name, column]) => `11:${column}: http.services.s.loadBalancer.healthCheck.${name}: is not supported`)],
    [file({ service: 'healthCheck: { path: /, interval: soon }' }), '11:43: http.services.s.loadBalancer.healthCheck.interval: must be a duration, such as 10s'],
    [file().replace('passHostHeader: false', 'passHostHeader: true'),
      '9:25: http.services.s.loadBalancer.passHostHeader: is not supported: the upstream gets its own name as Host, and the client’s in X-Forwarded-Host'],
    [file().replace('url: http://u.test:1', 'url: ftp://u.test, preservePath: true'), '10:40: http.services.s.loadBalancer.servers.0.preservePath: is not supported'],
    [file().replace('http://u.test:1', 'ftp://u.test'), '7:5: http.services: must be an http, https, h2c or h2 URL',
      '10:26: http.services.s.loadBalancer.servers.0.url: must be an http, https, h2c or h2 URL'],
    [file({ more: '    m:\n      mirroring: {}\n    f:\n      failover: {}' }), '12:7: http.services.m.mirroring: is not supported', '12:7: http.services.m: needs a loadBalancer or weighted',
      '14:7: http.services.f.failover: is not supported', '14:7: http.services.f: needs a loadBalancer or weighted'],
    [file({ more: '    w:\n      weighted: { sticky: {}, services: [{ name: none }, { name: w }] }' }),
      '12:19: http.services.w.weighted.sticky: is not supported', '12:50: http.services.w.weighted.services.0.name: must be a service of this file',
      '12:66: http.services.w.weighted.services.1.name: is weighted itself, which is not supported'],
    [file({ more: '    a.b:\n      loadBalancer: { passHostHeader: false, servers: [{ url: http://u.test }] }' }),
      '12:7: http.services.a.b: must be 1 to 63 letters, digits, dashes or underscores, starting with a letter or digit'],
    [file({ router: 'priority: 100' }).replace('  services:', '    deep: { rule: PathPrefix(`/x/y`), service: s }\n  services:'),
      '6:17: http.routers.r.priority: would take requests from "deep", whose path is deeper: here the deeper path always wins'],
  ]; // prettier-ignore
  it.each(refused.map((row, index) => [row[1]?.replace(/^\S+ /, '') ?? index, ...row] as const))(
    '%s',
    (_name, text, ...found) => {
      const result = read(text);
      expect(result.declared).toBeUndefined();
      const shown = result.problems.filter(isError).map((problem) => describeProblem('acme.yml', problem));
      expect(shown.sort()).toEqual(found.map((line) => `acme.yml:${line}`).sort());
    },
  );
});
