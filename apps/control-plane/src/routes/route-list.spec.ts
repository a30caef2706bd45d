import type { RouteRule } from '#libs/tenants';
import { withoutRoute, withRoute } from './route-list';

const any: RouteRule = { path: '/a' };
const reads: RouteRule = { path: '/a', methods: ['GET', 'HEAD'] };
const other: RouteRule = { path: '/b' };

describe('withRoute', () => {
  it.each<[RouteRule[], RouteRule]>([
    [[], any],
    [[other], any],
    [[any], reads],
    [[reads], any],
    [[reads], { path: '/a', methods: ['PUT'] }],
    [[any], { path: '/a/b' }],
    [[any], { path: '/A' }],
  ])('%j takes %j', (routes, added) => {
    expect(withRoute(routes, added)).toEqual([...routes, added]);
  });

  it.each<[RouteRule[], RouteRule]>([
    [[any], { path: '/a/' }],
    [[any], { path: '/a/*' }],
    [[any], { path: '/x/../a' }],
    [[any], { path: '/%61' }],
    [[reads], { path: '/a', methods: ['PUT', 'GET'] }],
  ])('%j has %j already', (routes, added) => {
    expect(() => withRoute(routes, added)).toThrow(
      expect.objectContaining({ code: 'already_exists' }) as Error,
    );
  });
});

describe('withoutRoute', () => {
  it.each<[path: string, method: string | undefined, left: RouteRule[]]>([
    ['/a', undefined, [other]],
    ['/a/', undefined, [other]],
    ['/b', undefined, [any, reads]],
    ['/a', 'GET', [any, { path: '/a', methods: ['HEAD'] }, other]],
  ])('leaves without %s %s: %j', (path, method, left) => {
    expect(withoutRoute([any, reads, other], path, method)).toEqual(left);
  });

  it.each([
    ['/c', undefined],
    ['/b', 'GET'],
    ['/a', 'PUT'],
    ['nonsense', undefined],
  ])('knows no %s %s', (path, method) => {
    const remove = (): unknown => withoutRoute([any, reads, other], path, method);
    expect(remove).toThrow(expect.objectContaining({ code: 'route_not_found' }) as Error);
  });
});
