import type { PublishedRouteRule } from './publication';
import { PublishedRoute } from './published-route';
import { RouteIndex } from './route-index';

const rule = (name: string, path: string, more: Partial<PublishedRouteRule> = {}): PublishedRouteRule => ({
  name,
  path,
  backends: [{ service: '1' }],
  ...more,
});

function indexOf(tenants: Record<string, PublishedRouteRule[]>): RouteIndex {
  const index = new RouteIndex();
  for (const [id, rules] of Object.entries(tenants))
    index.set(id, rules.map((one) => new PublishedRoute(id, one))); // prettier-ignore
  return index;
}

interface Asked {
  host?: string;
  method?: string;
  headers?: string[];
}
const nameAt = (
  index: RouteIndex,
  path: string,
  { host = 'any.test', method = 'GET', headers = [] }: Asked = {},
) => index.find(host, path, method, headers)?.name;

describe('prefixes', () => {
  const index = indexOf({
    acme: [rule('foo', '/foo'), rule('deep', '/foo/bar/baz'), rule('colon', '/a:b'), rule('dots', '/v1.0/x')],
    other: [rule('bar', '/bar/'), rule('star', '/star/*')],
  });

  it.each<[path: string, name: string | undefined]>([
    ['/foo', 'foo'],
    ['/foo/', 'foo'],
    ['/foo/x', 'foo'],
    ['/foo/bar', 'foo'],
    ['/foo/bar/bazaar', 'foo'],
    ['/foo/bar/baz', 'deep'],
    [`/foo/bar/baz${'/x'.repeat(500)}`, 'deep'],
    ['/foobar', undefined],
    ['/fo', undefined],
    ['/', undefined],
    ['/x/foo', undefined],
    ['/bar', 'bar'],
    ['/star/x', 'star'],
    ['/a:b/c', 'colon'],
    ['/a/b', undefined],
    ['/v1.0/x', 'dots'],
    ['/v1', undefined],
    // Plain names only: nothing stands for anything else.
    ['/foo%20', undefined],
    ['/FOO', undefined],
    ['/Foo/bar', undefined],
    ['/foo;x/y', undefined],
    ['/foo./y', undefined],
    ['/%E2%80%8Bfoo', undefined],
    // Both readings are below `/foo`, and neither is below `/foo/bar/baz`.
    ['/foo/X', 'foo'],
    ['/foo/x;y', 'foo'],
    ['/foo/bar/BAZ', undefined],
    ['/foo/bar/baz.', undefined],
    ['/foo/bar;x/baz', undefined],
  ])('%s leads to %s', (path, name) => {
    expect(nameAt(index, path)).toBe(name);
  });

  it.each([
    '/',
    '/api',
    '/Api/x',
    '/admin',
    '/ADMIN/x',
    '/admin;x',
    '/admin./x',
    '/proxy/3',
    '/.well-known/x',
    '/livez',
    '/metrics%20',
  ])('the root takes everything but what is the gateway’s: %s', (path) => {
    expect(nameAt(indexOf({ acme: [rule('root', '/')] }), path)).toBe(path === '/' ? 'root' : undefined);
  });

  it('that some server takes for others are told apart by their very spelling only', () => {
    const cased = indexOf({ acme: [rule('upper', '/Shop'), rule('lower', '/shop')] });
    expect([nameAt(cased, '/Shop/x'), nameAt(cased, '/shop/x'), nameAt(cased, '/SHOP/x')]).toEqual(
      ['upper', 'lower', undefined],
    ); // prettier-ignore
  });
});

describe('hosts', () => {
  const index = indexOf({
    acme: [
      rule('any', '/x'),
      rule('any-deep', '/x/y'),
      rule('wild', '/x', { hosts: ['*.example.com'] }),
      rule('exact', '/x', { hosts: ['a.example.com', '*.b.example.com'] }),
      rule('elsewhere', '/z', { hosts: ['c.example.com'] }),
    ],
  });

  it.each<[host: string, path: string, name: string | undefined]>([
    ['a.example.com', '/x/y', 'exact'],
    ['A.EXAMPLE.com:80', '/x', 'exact'],
    ['a.example.com.', '/x', 'exact'],
    ['d.example.com', '/x/y', 'wild'],
    ['q.b.example.com', '/x', 'exact'],
    ['b.example.com', '/x', 'wild'],
    ['example.com', '/x', 'any'],
    ['a.a.example.com', '/x/y', 'any-deep'],
    ['notexample.com', '/x', 'any'],
    ['c.example.com', '/x', 'wild'],
    ['c.example.com', '/z', 'elsewhere'],
    ['d.example.com', '/z', undefined],
    ['127.0.0.1:3000', '/x', 'any'],
    ['[::1]:3000', '/x', 'any'],
    ['', '/x', 'any'],
  ])('%s%s is %s', (host, path, name) => {
    expect(nameAt(index, path, { host })).toBe(name);
  });

  it('of which one has the path in doubt leave it to nobody', () => {
    const doubtful = indexOf({ acme: [rule('any', '/'), rule('exact', '/admins', { hosts: ['a.test'] })] });
    expect(nameAt(doubtful, '/Admins', { host: 'a.test' })).toBeUndefined();
    expect(nameAt(doubtful, '/Admins', { host: 'b.test' })).toBe('any');
  });
});

describe('methods and headers', () => {
  const index = indexOf({
    acme: [
      rule('rest', '/x'),
      rule('header', '/x', { headers: { 'X-A': '1' } }),
      rule('headers', '/x', { headers: { 'X-A': '1', 'x-b': '2' } }),
      rule('get', '/x', { methods: ['GET'] }),
      rule('post', '/x', { methods: ['POST'], headers: { 'X-A': '1' } }),
      rule('only', '/only', { methods: ['PUT'] }),
      rule('root', '/'),
    ],
  });

  it.each<[method: string, headers: string[], name: string | undefined]>([
    ['PUT', [], 'rest'],
    ['GET', [], 'get'],
    ['HEAD', [], 'get'],
    ['get', [], 'rest'],
    ['GET', ['x-a', '1', 'X-B', '2'], 'get'],
    ['POST', ['x-a', '1'], 'post'],
    ['POST', [], 'rest'],
    ['PUT', ['X-a', '1'], 'header'],
    ['PUT', ['X-A', '1', 'X-B', '2'], 'headers'],
    ['PUT', ['X-A', '11'], 'rest'],
    ['PUT', ['X-A', '1', 'X-A', '1'], 'rest'],
    ['PUT', ['X-A', '2', 'x-a', '1'], 'rest'],
  ])('%s with %j is %s', (method, headers, name) => {
    expect(nameAt(index, '/x', { method, headers })).toBe(name);
  });

  it('that a place does not take are not left to the place above', () => {
    expect([nameAt(index, '/only', { method: 'PUT' }), nameAt(index, '/only'), nameAt(index, '/onl')]).toEqual(
      ['only', undefined, 'root'],
    ); // prettier-ignore
  });
});

describe('a change', () => {
  it('replaces the routes of one tenant and touches nobody else’s', () => {
    const index = indexOf({ acme: [rule('a', '/a'), rule('A', '/Abc')], other: [rule('b', '/a/b')] });
    index.set('acme', [new PublishedRoute('acme', rule('c', '/c', { hosts: ['c.test'] }))]);
    expect([nameAt(index, '/a'), nameAt(index, '/a/b'), nameAt(index, '/c', { host: 'c.test' })]).toEqual(
      [undefined, 'b', 'c'],
    ); // prettier-ignore
    // What is not published any more puts nothing in doubt.
    index.set('other', [new PublishedRoute('other', rule('root', '/'))]);
    expect(nameAt(index, '/ABC')).toBe('root');
    index.set('other', []);
    index.set('acme', []);
    expect([nameAt(index, '/'), nameAt(index, '/c', { host: 'c.test' }), [...index.services()]]).toEqual(
      [undefined, undefined, []],
    ); // prettier-ignore
  });

  it('tells who takes the same, and goes by the ids of the tenants', () => {
    const index = indexOf({ zoo: [rule('z', '/x', { methods: ['GET'] })] });
    const route = new PublishedRoute('acme', rule('a', '/x', { methods: ['POST', 'GET'] }));
    expect(index.set('acme', [route]).map((pair) => pair.map(({ tenantId }) => tenantId))).toEqual([
      ['acme', 'zoo'],
    ]);
    expect(nameAt(index, '/x')).toBe('a');
    index.set('acme', []);
    expect(nameAt(index, '/x')).toBe('z');
  });
});
