import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { AddressPolicy } from '#libs/tenants';
import { describeProblem } from '../problem';
import { readFile, type ReadFile } from '../read-file';
import { projectJsonSchema } from './project-schema';

const HASH = 'ab'.repeat(32);
const ENV: Record<string, string> = {
  GATEWAY_SECRET_THEIRS: 'hush-hush-hush-hush-hush-hush-hush',
  PRIVATE: 'http://10.9.8.7',
};
const read = (text: string): ReadFile =>
  readFile('acme.yaml', text, {
    variables: (name) => ENV[name],
    addresses: new AddressPolicy(false),
    ownTokens: true,
  });
const texts = (text: string): Record<string, unknown> =>
  Object.fromEntries(
    [...(read(text).declared?.documents.texts ?? [])].map(([key, value]) => [
      key,
      value?.startsWith('{') ? JSON.parse(value) : value,
    ]),
  );

const FULL = `# yaml-language-server: $schema=../docs/schema/project.schema.json
project:
  id: acme
  name: Acme
  rateLimit: { windowSeconds: 60, maxRequests: 600 }
  timeouts: { totalMs: 5000 }
  retries: { attempts: 1, statuses: [503] }
  breaker: {}
  idps: [{ issuer: theirs, audience: us, secrets: ["{{env "GATEWAY_SECRET_THEIRS"}}"] }]
services:
  api: { url: http://u.test, timeouts: { idleMs: 5 }, retries: { attempts: 3, backoffMs: 1000, maxBackoffMs: 4000, jitter: false, exhaustedStatus: 503 }, rateLimit: { windowSeconds: 1, maxRequests: 5 } }
  web:
    targets: [{ url: http://v.test, weight: 2 }, { url: http://w.test }]
    balance: least-pending
    passive: { failures: 3, ejectSeconds: 9, maxEjectedPercent: 40 }
    breaker: { failures: 3, slowMs: 500, openMs: 100, failureStatuses: [500, 503] }
    slowStartSeconds: 30
    healthCheck: { path: /up, intervalSeconds: 5, timeoutMs: 100, healthyAfter: 1, unhealthyAfter: 2, expectStatus: 204, host: x }
routes:
  - { name: a, path: /acme/api, service: api, stripPrefix: true, auth: { jwt: true, claims: { project: [acme] }, apiKey: false } }
  - name: b
    path: /acme
    hosts: [a.test]
    methods: [GET]
    headers: { X-A: "1" }
    backends: [{ service: api, weight: 9 }, { service: web }]
    addPrefix: /v1
    requestHeaders: { X-B: "" }
    responseHeaders: { X-C: c }
    retries: { perTryTimeoutMs: 100, bodyBytes: 0 }
    rateLimit: { windowSeconds: 1, maxRequests: 5 }
apiRoutes:
  - { path: /v1, methods: [GET], rateLimit: { windowSeconds: 1, maxRequests: 5 } }
apiKeys:
  - { sha256: ${HASH}, name: ci, service: api, monthlyQuota: 5, expiresAt: "2020-01-01T00:00:00Z", allowedIps: [10.0.0.0/8] }
`;

it('becomes the documents that the store would hold', () => {
  const { declared, problems } = read(FULL);
  expect(problems).toEqual([]);
  const limit = { windowSeconds: 1, maxRequests: 5 };
  const key = {
    id: 'sha256-abababababab',
    name: 'ci',
    prefix: 'sha256:abababababab',
    createdAt: '1970-01-01T00:00:00.000Z',
    serviceId: 'acme.api',
  };
  const service = { tenantId: 'acme', createdAt: '1970-01-01T00:00:00.000Z' };
  // Of both routes: for every host and method that they take.
  const claims = Object.fromEntries(Object.entries(texts(FULL)).filter(([, value]) => value === 'acme'));
  expect(Object.keys(claims).every((name) => name.startsWith('gatehouse:published:'))).toBe(true);
  expect(Object.keys(claims).length).toBeGreaterThan(1);
  expect(texts(FULL)).toEqual({
    'tenant:acme': {
      id: 'acme',
      name: 'Acme',
      upstreamBaseUrl: 'http://u.test',
      allowedRoutes: [{ path: '/v1', methods: ['GET'], rateLimit: limit }],
      rateLimit: { windowSeconds: 60, maxRequests: 600 },
      timeouts: { totalMs: 5000 },
      retries: { attempts: 1, statuses: [503] },
      breaker: {},
      idps: [{ issuer: 'theirs', audience: 'us', secrets: [{ env: 'GATEWAY_SECRET_THEIRS' }] }],
    },
    'tenant:service:acme.api': {
      ...service, id: 'acme.api', name: 'api', targets: [{ url: 'http://u.test' }], timeouts: { idleMs: 5 }, rateLimit: limit,
      retries: { attempts: 3, backoffMs: 1000, maxBackoffMs: 4000, jitter: false, exhaustedStatus: 503 },
    },
    'tenant:service:acme.web': {
      ...service, id: 'acme.web', name: 'web',
      targets: [{ url: 'http://v.test', weight: 2 }, { url: 'http://w.test' }],
      balance: 'least-pending',
      passive: { failures: 3, ejectSeconds: 9, maxEjectedPercent: 40 },
      breaker: { failures: 3, slowMs: 500, openMs: 100, failureStatuses: [500, 503] },
      slowStartSeconds: 30,
      healthCheck: { path: '/up', intervalSeconds: 5, timeoutMs: 100, healthyAfter: 1, unhealthyAfter: 2, expectStatus: 204, host: 'x' },
    },
    'tenant:publication:acme': {
      tenantId: 'acme',
      routes: [
        {
          name: 'a', path: '/acme/api', stripPrefix: true, backends: [{ service: 'acme.api' }],
          auth: { jwt: true, claims: { project: ['acme'] }, apiKey: false },
        },
        {
          name: 'b', path: '/acme', hosts: ['a.test'], methods: ['GET'], headers: { 'X-A': '1' },
          backends: [{ service: 'acme.api', weight: 9 }, { service: 'acme.web' }],
          addPrefix: '/v1', requestHeaders: { 'X-B': '' }, responseHeaders: { 'X-C': 'c' }, rateLimit: limit,
          retries: { perTryTimeoutMs: 100, bodyBytes: 0 },
        },
      ],
    },
    [`tenant:byApiKey:${HASH}`]: {
      ...key, tenantId: 'acme', enabled: true, monthlyQuota: 5, expiresAt: '2020-01-01T00:00:00Z', allowedIps: ['10.0.0.0/8'],
    },
    'gatehouse:{acme}:key:sha256-abababababab': { ...key, hash: HASH },
    ...claims,
  }); // prettier-ignore
  expect(declared?.documents.entries).toEqual([
    ['gatehouse:tenants', 'acme'],
    ['gatehouse:{acme}:services', 'acme.api'],
    ['gatehouse:{acme}:services', 'acme.web'],
    ['gatehouse:publications', 'acme'],
    ['gatehouse:{acme}:keys', 'sha256-abababababab'],
    ['gatehouse:{acme}:service:acme.api:keys', 'sha256-abababababab'],
  ]);
});

it('publishes nothing where it says nothing, whatever the store holds', () => {
  expect(texts('project: { id: a, upstreamBaseUrl: http://u.test }')).toEqual({
    'tenant:a': { id: 'a', name: 'a', upstreamBaseUrl: 'http://u.test', allowedRoutes: [] },
    'tenant:publication:a': undefined,
  });
});

describe('what is wrong', () => {
  const P = 'project: { id: a, upstreamBaseUrl: http://u.test }\n';
  const refused: [text: string, ...found: string[]][] = [
    ['', '1:1: must be an object'],
    ['[]', '1:1: must be an object'],
    ['services: {}', '1:1: project: is missing'],
    ['project:\n  id: 5\n  nmae: x\n', '2:7: project.id: must be a text (quote it if it looks like a number)', '3:3: project.nmae: is not a known field'],
    ['project: { id: a }', '1:10: project: needs an upstreamBaseUrl, or a service'],
    ['project: { id: a:b, upstreamBaseUrl: http://u.test }',
      '1:16: project.id: must be 1 to 64 letters, digits, dots, dashes or underscores, starting with a letter or digit'],
    ['project: { id: a, upstreamBaseUrl: "${PRIVATE}" }',
      '1:36: project.upstreamBaseUrl: 10.9.8.7 is in a private range, and ALLOW_PRIVATE_UPSTREAMS is not true'],
    ['project: { id: a, upstreamBaseUrl: http://u.test, rateLimit: { windowSeconds: 0, maxRequests: 1.5 } }',
      '1:79: project.rateLimit.windowSeconds: must be at least 1', '1:95: project.rateLimit.maxRequests: must be a whole number'],
    [`${P}apiRoutes:\n  - path: /a*b\n`, '3:11: apiRoutes.0.path: must be a plain path, which includes everything below it: no wildcards, parameters or query'],
    [`${P}services:\n  a.b: { url: http://u.test }`, '3:3: services.a.b: must be 1 to 63 letters, digits, dashes or underscores, starting with a letter or digit'],
    [`${P}services:\n  s: {}`, '3:3: services.s: needs either url or targets'],
    [`${P}services:\n  s: { url: "x" }`, '3:13: services.s.url: must be an http, https, h2c or h2 URL'],
    [`${P}services:\n  s: { targets: [{ url: http://u.test, weight: 0 }] }`, '3:48: services.s.targets.0.weight: must be a whole number from 1 to 1000'],
    [`${P}routes:\n  - { name: r, path: /x, service: none }`, '3:35: routes.0.service: there is no service called "none" in this file'],
    [`${P}routes:\n  - { name: r, path: /x }`, '3:5: routes.0: needs either service or backends'],
    [`${P}apiKeys:\n  - { sha256: ${HASH} }\n  - { sha256: ${HASH} }`, '4:15: apiKeys.1.sha256: the same key is declared in this file too'],
    [`${P}services: { s: { url: http://u.test } }\nroutes:\n  - { name: r, path: /x, service: s }\n  - { name: r, path: /x/*, service: s }`,
      '5:13: routes.1.name: is given twice', '5:22: routes.1.path: is taken by routes.0 for the same host, method and headers'],
    [`${P}apiKeys:\n  - { key: gh_live_x }`, '3:7: apiKeys.0.key: is not a known field: keys do not belong into files; write sha256, the SHA-256 of the key in lower-case hex (printf %s KEY | sha256sum)',
      '3:5: apiKeys.0.sha256: is missing'],
    [`${P}apiKeys:\n  - { sha256: gh_live_plain }`, '3:15: apiKeys.0.sha256: must be the SHA-256 of the key in lower-case hex (printf %s KEY | sha256sum); keys themselves do not belong into files'],
    [`${P}apiKeys:\n  - { sha256: ${HASH}, service: none }`, '3:90: apiKeys.0.service: there is no service called "none" in this file'],
    [`${P}apiKeys:\n  - { sha256: ${HASH}, expiresAt: soon }`,
      '3:92: apiKeys.0.expiresAt: must be a date and time with a time zone (ISO 8601), such as 2030-01-31T00:00:00Z'],
  ]; // prettier-ignore
  it.each(refused)('%j', (text, ...found) => {
    const result = read(text);
    expect(result.declared).toBeUndefined();
    const lines = result.problems.map((problem) => describeProblem('acme.yaml', problem));
    expect(lines.sort()).toEqual(found.map((line) => `acme.yaml:${line}`).sort());
  });

  it('a secret in the clear is served with a warning that does not show it', () => {
    const { problems, declared } = read(
      'project: { id: a, upstreamBaseUrl: http://u.test, idps: [{ issuer: i, audience: a, secrets: [a-secret-that-stands-in-the-clear-for-all] }] }',
    );
    expect(declared).toBeDefined();
    expect(problems).toEqual([
      { line: 1, column: 94, field: 'project.idps.0.secrets.0', message: 'a secret stands in the file: write {{env "NAME"}}', severity: 'warning' },
    ]); // prettier-ignore
  });
});

it('docs/schema/project.schema.json is what the format is: node scripts/schema.mjs writes it', () => {
  const file = resolve(__dirname, '../../../../docs/schema/project.schema.json');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(projectJsonSchema())));
});
