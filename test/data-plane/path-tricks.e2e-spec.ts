import { misreadingsAmong } from '../support/lenient-readers';
import { TRICKS } from '../support/path-tricks';
import { startPathTrials, type PathTrials } from '../support/path-trials';
import { trickyPaths } from '../support/tricky-paths';

const OPEN = '/v1';
const PLACES = [OPEN, '/v1/admin', '/v1/Secret', '/v1/a@b'];
/** Whatever a request without a token reaches must be the open place, in the eyes of everybody. */
const misreadings = misreadingsAmong(PLACES);

let trials: PathTrials;
beforeAll(async () => {
  const allowedRoutes = PLACES.map((path) => ({ path, auth: { jwt: path !== OPEN } }));
  const idp = { issuer: 'https://issuer.test', jwksUri: 'https://issuer.test/jwks', audience: 'api.test' };
  trials = await startPathTrials({ allowedRoutes, idp });
});

describe.each(Object.entries(TRICKS))('%s', (_, tricks) => {
  const cases = tricks.map(([target, expected]) => ({ title: abridged(target), target, expected }));

  it.each(cases)('$title', async ({ target, expected }) => {
    const { status, problem, forwarded } = await trials.send(target);
    if (typeof expected === 'string') {
      // Judged and sent are one: the upstream gets exactly this, once.
      expect({ status, forwarded }).toEqual({ status: 200, forwarded: [expected] });
      expect(misreadings(expected.replace(/\?.*$/s, ''), OPEN)).toEqual([]);
    } else {
      expect({ status, forwarded }).toEqual({ status: expected, forwarded: [] });
      expect(problem).toMatchObject({ status: expected, code: expect.any(String) });
    }
  });

  it.each(cases)('$title, as a WebSocket', async ({ target, expected }) => {
    const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
    const { status, forwarded } = await trials.send(target, upgrade);
    const passes = typeof expected === 'string';
    expect({ status, forwarded }).toEqual(
      passes ? { status: 200, forwarded: [expected] } : { status: expected, forwarded: [] },
    );
  });
});

function abridged(target: string): string {
  const text = JSON.stringify(target);
  return text.length <= 80 ? text : `${text.slice(0, 30)} … ${text.slice(-20)} (${target.length})`;
}

it('takes no made-up path to a place that the judged route does not cover', async () => {
  const paths = [...trickyPaths(3, 600)].map((path) => `/api${path.startsWith('/') ? '' : '/'}${path}`);
  let forwardings = 0;
  const trial = async (path: string): Promise<void> => {
    const { status, forwarded } = await trials.send(path);
    forwardings += forwarded.length;
    expect([path, forwarded.length === 1 ? [200] : [400, 401, 403, 404]]).toEqual([
      path,
      expect.arrayContaining([status]),
    ]);
    for (const url of forwarded) expect([path, url, misreadings(url, OPEN)]).toEqual([path, url, []]);
  };
  for (let start = 0; start < paths.length; start += 20) {
    await Promise.all(paths.slice(start, start + 20).map(trial));
  }
  expect(forwardings).toBeGreaterThan(30);
});

it('joins the path to the base path of the upstream, and never leaves that', async () => {
  const based = await startPathTrials({ allowedRoutes: [{ path: '/' }] }, '/base/path/');
  const outcomes: Array<[target: string, forwarded: string[]]> = [
    ['/api', ['/base/path/']],
    ['/api/x', ['/base/path/x']],
    ['/api/x/../y', ['/base/path/y']],
    ['/api//x', ['/base/path/x']],
    ['/api/..', []],
    ['/api/../../x', []],
    ['/api/%2e%2e/x', []],
    ['/api/..;/x', []],
    ['/api/..%2fx', []],
    ['/api/..%5cx', []],
  ];
  for (const [target, forwarded] of outcomes) {
    expect([target, (await based.send(target)).forwarded]).toEqual([target, forwarded]);
  }
});

describe('the control plane on the same port', () => {
  const everything = () => ({ 'X-Admin-Token': trials.gateway.adminToken });

  it('answers the holder of the token at its own address', async () => {
    expect(await trials.send('/admin/tenants', everything())).toMatchObject({ status: 200, control: true });
  });

  it.each([
    ...[
      '/api/../admin/tenants',
      '/api/..//admin/tenants',
      '/api/%2e%2e/admin/tenants',
      '/api/.%2E/admin/tenants',
    ],
    ...[
      '/api/v1/../../admin/tenants',
      '/api/..;/admin/tenants',
      '/api/..%2fadmin/tenants',
      '/api/..%5cadmin/tenants',
    ],
    ...['//admin/tenants', '/./admin/tenants', '/x/../admin/tenants', '/%61dmin/tenants', '/admin%2ftenants'],
    ...['/Admin/tenants', '/ADMIN/tenants', '/admin;x/tenants', '/admin./tenants', '/admin%20/tenants'],
    ...[
      '/admin\\tenants',
      '/admin#/tenants',
      '/administration',
      '/adm%C4%B1n/tenants',
      '/%EF%BD%81dmin/tenants',
    ],
    ...['http://gateway.test/admin/tenants', 'https://x/admin/tenants', 'http://x/api/../admin/tenants'],
    ...[
      '//metrics',
      '/api/../metrics',
      '/metrics;x',
      '/%6detrics',
      '/Metrics',
      '/api/../tenant',
      '/tenant;x',
    ],
    ...['/api/../docs', '//docs', '/docs;x', '/api/../livez', '//livez', '/livez/', '/livez?x', '/readyz;x'],
  ])('is not to be reached by a detour: %s', async (target) => {
    const { status, control, forwarded } = await trials.send(target, everything());
    expect(status).toBeGreaterThanOrEqual(400);
    expect({ control, forwarded }).toEqual({ control: false, forwarded: [] });
  });

  it.each([
    ...[
      '/admin/../api/v1/x',
      '/admin/%2e%2e/api/v1/x',
      '/admin/..;/api/v1/x',
      '/admin/..%2fapi/v1/x',
      '/admin//api/v1/x',
    ],
    ...[
      '/tenant/../api/v1/x',
      '/metrics/../api/v1/x',
      '/docs/../api/v1/x',
      '/docs/%2e%2e/api/v1/x',
      '/admin?/api/v1/x',
    ],
  ])('is no way to an upstream: %s', async (target) => {
    expect((await trials.send(target)).forwarded).toEqual([]);
  });

  it.each([
    ...[
      '/docs/../admin/tenants',
      '/docs/%2e%2e/admin/tenants',
      '/docs/..%2fadmin/tenants',
      '/docs/..;/admin/tenants',
    ],
    ...[
      '/admin//tenants',
      '/admin/./tenants',
      '/admin/tenants/',
      '/admin/TENANTS',
      '/admin/%74enants',
      '/admin/tenants?x',
    ],
    ...[
      '/metrics/',
      '/metrics?x',
      '/metrics/%2e',
      '/tenant/',
      '/tenant?x',
      '/docs/../metrics',
      '/docs/..%2ftenant',
    ],
    ...['/docs/../../package.json', '/docs/..%2f..%2fpackage.json', '/docs/..%5c..%5cpackage.json'],
    ...[
      '/docs/%2e%2e/%2e%2e/package.json',
      '/docs/....//package.json',
      '/docs//etc/passwd',
      '/docs/%2fetc%2fpasswd',
    ],
  ])('tells nothing to somebody without its token: %s', async (target) => {
    const { status } = await trials.send(target);
    expect(status).toBeGreaterThanOrEqual(300);
  });
});

describe('with a control plane on a port of its own, the data plane', () => {
  let apart: PathTrials;
  beforeAll(async () => {
    apart = await startPathTrials({ allowedRoutes: [{ path: '/' }] }, '', { ADMIN_PORT: '0' });
  });

  it.each([
    '/admin',
    '/admin/tenants',
    '/metrics',
    '/docs',
    '/tenant',
    '/api/../admin/tenants',
    '//admin/tenants',
  ])('has nothing at %s', async (target) => {
    const token = { 'X-Admin-Token': apart.gateway.adminToken };
    expect(await apart.send(target, token)).toMatchObject({ status: 404, control: false, forwarded: [] });
  });
});
