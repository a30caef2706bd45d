import { GatewayError } from '#libs/errors';
import { misreadingsAmong } from '../../../test/support/lenient-readers';
import { trickyPaths } from '../../../test/support/tricky-paths';
import { normalPath } from './normal-path';
import { routePath } from './route-path';
import { RouteTable, routeFor, type Route } from './route-table';
import type { RouteRule } from './tenant';

const table = (paths: string[]): RouteTable =>
  new RouteTable(
    paths.map((path) => ({ path })),
    false,
  );
/** The path of the route that governs, or undefined. */
const governing = (routes: RouteTable, path: string): string | undefined =>
  routes.find(normalPath(path))?.[0]?.path;

describe('find', () => {
  const PLACES = ['/v1', '/v1/admin', '/v1/Secret', '/v1/a@b', '/v1/caf%c3%a9', '/v2/deep/er'];

  it.each([
    ['/v1', '/v1'],
    ['/v1/', '/v1'],
    ['/v1/x', '/v1'],
    ['/v1/x/y/z/', '/v1'],
    ['/v1/admin', '/v1/admin'],
    ['/v1/admin/', '/v1/admin'],
    ['/v1/admin/x', '/v1/admin'],
    ['/v1/x/../admin/x', '/v1/admin'],
    ['/v1/%61dmin', '/v1/admin'],
    ['/v1/administrators', '/v1'],
    ['/v1/admi', '/v1'],
    ['/v1/x/admin', '/v1'],
    ['/v1/admin;a=1', undefined],
    ['/v1/x;a=1', '/v1'],
    ['/v1/x.', '/v1'],
    ['/v1/X', '/v1'],
    ['/v1/Secret', '/v1/Secret'],
    ['/v1/Secret/X', '/v1/Secret'],
    ['/v1/Secret;a/X', undefined],
    ['/v1/secret', undefined],
    ['/v1/SECRET/x', undefined],
    ['/v1/a@b', '/v1/a@b'],
    ['/v1/a%40b', undefined],
    ['/v1/A@b/x', undefined],
    ['/v1/caf%C3%A9/x', '/v1/caf%C3%A9'],
    ['/v1/CAF%C3%89', undefined],
    ['/v1/cafe%CC%81', undefined],
    ['/v1/ADMIN', undefined],
    ['/v1/admin.', undefined],
    ['/v1/admin%20/x', undefined],
    ['/v1/%2561dmin', undefined],
    ['/v1/;/admin', undefined],
    ['/V1', undefined],
    ['/V1/x', undefined],
    ['/v1./x', undefined],
    ['/v1;a/x', undefined],
    ['/', undefined],
    ['/v2', undefined],
    ['/v2/deep', undefined],
    ['/v2/deep/er', '/v2/deep/er'],
    ['/v2/deep/erer', undefined],
    ['/v12', undefined],
  ])('%s is governed by %s', (path, place) => {
    expect(governing(table(PLACES), path)).toBe(place);
  });

  it('takes what no other place covers to the root, if that is a place', () => {
    const routes = table(['/', '/v1']);
    expect(['/', '/x', '/x/y', '/v1', '/v1/x', '/v12'].map((path) => governing(routes, path))).toEqual(
      ['/', '/', '/', '/v1', '/v1', '/'],
    ); // prettier-ignore
    expect(governing(routes, '/V1')).toBeUndefined();
    expect(governing(table(['/']), '/V1;a/B.')).toBe('/');
    expect(governing(table([]), '/')).toBeUndefined();
  });

  it('tells places apart that differ in case only, each as it is written', () => {
    const routes = table(['/v1/secret', '/v1/Secret']);
    expect(governing(routes, '/v1/secret/x')).toBe('/v1/secret');
    expect(governing(routes, '/v1/Secret/x')).toBe('/v1/Secret');
    expect(governing(routes, '/v1/SECRET/x')).toBeUndefined();
  });

  it('finds the deepest of many places below a path of a thousand segments', () => {
    const routes = table(['/a', '/a/b/c/d', ...Array.from({ length: 10_000 }, (_, i) => `/many/${i}`)]);
    expect(governing(routes, `/a/b/c/d${'/x'.repeat(1000)}`)).toBe('/a/b/c/d');
    expect(governing(routes, `/a/b/c${'/x'.repeat(1000)}`)).toBe('/a');
    expect(governing(routes, `/many/9999${'/X'.repeat(1000)}`)).toBe('/many/9999');
    expect(governing(routes, '/many/10000')).toBeUndefined();
  });

  it.each([
    ['plain places', ['/v1', '/v1/admin']],
    ['places whose names can be disguised', ['/v1', '/v1/admin', '/v1/Secret', '/v1/a@b', '/v1/caf%C3%A9']],
    ['an open root with protected corners', ['/', '/v1/admin', '/v1/Secret/x']],
    ['places that go deep', ['/v1', '/v1/public', '/v1/public/admin', '/v1/x/secret/x']],
  ])('never lets a path pass that some server reads as another place: %s', (_, places) => {
    const routes = table(places);
    const misreadings = misreadingsAmong(places.map(routePath));
    let governed = 0;
    for (const path of trickyPaths(2, 6000)) {
      const normal = accepted(path);
      const place = normal === undefined ? undefined : routes.find(normal)?.[0]?.path;
      if (normal === undefined || place === undefined) continue;
      governed += 1;
      const readers = misreadings(normal, place);
      if (readers.length > 0) throw new Error(`${path} → ${normal} is not ${place} to ${readers.join('; ')}`);
    }
    expect(governed).toBeGreaterThan(200);
  });
});

/** Undefined for a path that is refused. */
function accepted(path: string): string | undefined {
  try {
    return normalPath(path);
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

describe('policies', () => {
  const rules: RouteRule[] = [
    { path: '/open', auth: { jwt: false } },
    { path: '/closed', auth: { jwt: true } },
    { path: '/silent' },
    { path: '/read', methods: ['GET'], auth: { jwt: false } },
    { path: '/read', methods: ['POST', 'PUT'], auth: { jwt: true } },
    { path: '/mixed' },
    { path: '/mixed', methods: ['DELETE'], auth: { jwt: true } },
  ];
  const jwtOf = (path: string, method: string, byDefault = false): boolean | undefined =>
    routeFor(new RouteTable(rules, byDefault).find(path) ?? [], method)?.requiresJwt;

  it.each([
    ['/open', 'GET', false, false],
    ['/closed', 'GET', true, true],
    ['/silent', 'GET', false, true],
    ['/read', 'GET', false, false],
    ['/read', 'HEAD', false, false],
    ['/read', 'POST', true, true],
    ['/read', 'DELETE', undefined, undefined],
    ['/read', 'OPTIONS', undefined, undefined],
    ['/read', 'get', undefined, undefined],
    // The rule that names methods decides before the one that takes any, wherever it stands.
    ['/mixed', 'DELETE', true, true],
    ['/mixed', 'GET', false, true],
    ['/mixed', 'PROPFIND', false, true],
  ])('%s %s asks for a JWT: %s, and %s where the tenant does by default', (path, method, jwt, byDefault) => {
    expect([jwtOf(path, method), jwtOf(path, method, true)]).toEqual([jwt, byDefault]);
  });
});

describe('a route', () => {
  const routeOf = (rule: RouteRule): Route | undefined =>
    new RouteTable([rule], false).find(routePath(rule.path))?.[0];

  it('has a limit if its rule has one', () => {
    expect(routeOf({ path: '/v1' })?.limit).toBeUndefined();
    const rateLimit = { maxRequests: 5, windowSeconds: 10 };
    expect(routeOf({ path: '/v1', rateLimit })?.limit).toEqual({ capacity: 5, windowMs: 10_000 });
  });

  it('has the same key however it is written, and another one for other methods', () => {
    const keyOf = (path: string, methods?: string[]): string | undefined => routeOf({ path, methods })?.key;
    expect(['/v1/a', '/v1/a/', '/v1/a/*', '//v1/%61'].map((path) => keyOf(path))).toEqual(
      Array(4).fill('* /v1/a'),
    );
    expect(keyOf('/v1/a', ['POST', 'GET', 'POST'])).toBe('GET,POST /v1/a');
    expect(keyOf('/v1/a', ['GET', 'POST'])).toBe('GET,POST /v1/a');
    expect(keyOf('/v1/a', ['GET'])).toBe('GET /v1/a');
  });
});

describe('routePath', () => {
  it.each([
    ['/', '/'],
    ['/*', '/'],
    ['/v1', '/v1'],
    ['/v1/', '/v1'],
    ['/v1/*', '/v1'],
    ['//v1//users//', '/v1/users'],
    ['/v1/./users/../x', '/v1/x'],
    ['/v1/%61', '/v1/a'],
    ['/v1/a%c3%a9', '/v1/a%C3%A9'],
    ['/v1/a*', '/v1/a*'],
  ])('%s means %s', (path, place) => {
    expect(routePath(path)).toBe(place);
  });

  it.each(['', 'v1', '*', '/v1/%2f', '/v1/..;/x', '/..', '/v1 ', '/v1\\x', '/v1#x', '/é'])(
    'refuses %j',
    (path) => {
      expect(() => routePath(path)).toThrow(expect.objectContaining({ code: 'bad_request_target' }));
    },
  );
});
