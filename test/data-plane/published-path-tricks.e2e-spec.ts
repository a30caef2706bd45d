import { waitFor } from '../support/children';
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
  const idp = { issuer: 'https://issuer.test', jwksUri: 'https://issuer.test/jwks', audience: 'api.test' };
  trials = await startPathTrials({ idp, allowedRoutes: [] });
  const { gateway } = trials;
  const { body } = await gateway.admin('GET', '/admin/tenants');
  const { id, upstreamBaseUrl } = (
    body as { tenants: Array<{ id: string; upstreamBaseUrl: string }> }
  ).tenants.at(-1)!;
  const fields = { name: 's', targets: [{ url: upstreamBaseUrl }], auth: { jwt: false } };
  const service = (
    (await gateway.admin('POST', `/admin/tenants/${id}/services`, fields)).body as { id: string }
  ).id;
  const routes = PLACES.map((path, i) => ({
    name: `r${i}`,
    path,
    auth: { jwt: path !== OPEN },
    backends: [{ service }],
  }));
  const { status } = await gateway.admin('PUT', `/admin/tenants/${id}/publication`, { routes });
  expect(status).toBe(200);
  await waitFor('the routes', async () => (await trials.send('/v1/admin')).status === 401);
});

/** The same tricks as below `/api`, at the root. What is no place there, or one in doubt, is here not published. */
const tricks = Object.entries(TRICKS).flatMap(([kind, list]) =>
  kind === 'the prefix of the API' || kind.startsWith('absolute')
    ? []
    : list
        .filter(([target]) => target.startsWith('/api/v1/'))
        // Four characters less are not too long any more.
        .filter(([, expected]) => expected !== 414)
        // What climbs above `/api` climbs above the root here.
        .filter(([target, expected]) => expected !== 404 && !/^\/api\/v1\/(?:\.\.|%2e%2e)\//.test(target))
        .map(([target, expected]) => ({
          title: `${kind}: ${JSON.stringify(target).slice(0, 80)} (${target.length})`,
          target: target.slice('/api'.length),
          expected: expected === 403 ? 404 : expected,
        })),
);

it.each(tricks)('$title', async ({ target, expected }) => {
  const { status, problem, forwarded } = await trials.send(target);
  if (typeof expected === 'string') {
    expect({ status, forwarded }).toEqual({ status: 200, forwarded: [expected] });
    expect(misreadings(expected.replace(/\?.*$/s, ''), OPEN)).toEqual([]);
  } else {
    expect({ status, forwarded }).toEqual({ status: expected, forwarded: [] });
    expect(problem).toMatchObject({ status: expected });
  }
});

it('takes no made-up path to a place that the judged route does not cover', async () => {
  const paths = [...trickyPaths(5, 400)].map((path) => (path.startsWith('/') ? path : `/${path}`));
  let forwardings = 0;
  for (const path of paths) {
    const { forwarded } = await trials.send(path);
    forwardings += forwarded.length;
    for (const url of forwarded) expect([path, url, misreadings(url, OPEN)]).toEqual([path, url, []]);
  }
  expect(forwardings).toBeGreaterThan(10);
});
