import type { RequestFacts } from './header-text';
import { MappedBack } from './mapped-back';
import { PathRewrite, type RewritePolicy } from './path-rewrite';
import { QueryChanges, type QueryChangeFields } from './query-changes';

const FACTS = { requestId: 'a&b=c', header: () => undefined } as unknown as RequestFacts;

it.each<[policy: RewritePolicy, path: string, sent: string]>([
  [{}, '/v1/a', '/v1/a'],
  [{ stripPrefix: true }, '/v1/a', '/a'],
  [{ stripPrefix: true }, '/v1', ''],
  [{ stripPrefix: true }, '/v1/', '/'],
  [{ stripPrefix: '/' }, '/v1/a', '/v1/a'],
  [{ addPrefix: '/v2/' }, '/v1/a', '/v2/v1/a'],
  [{ stripPrefix: true, addPrefix: '/v2' }, '/v1/a/', '/v2/a/'],
  [{ stripPrefix: true, addPrefix: '/v2' }, '/v1', '/v2'],
  [{ paths: [{ from: '/v1/users/{id}', to: '/v2/people/{id}' }] }, '/v1/users/42', '/v2/people/42'],
  [{ paths: [{ from: '/v1/users/{id}', to: '/v2/people/{id}' }] }, '/v1/users/42/x', '/v1/users/42/x'],
  [{ paths: [{ from: '/v1/users/{id}', to: '/v2/people/{id}' }] }, '/v1/users/', '/v1/users/'],
  [{ paths: [{ from: '/v1/{a}/{b}', to: '/{b}/{a}' }] }, '/v1/x/y', '/y/x'],
  [{ paths: [{ from: '/v1/{rest...}', to: '/new/{rest...}' }] }, '/v1/a/b/', '/new/a/b/'],
  [{ paths: [{ from: '/v1/{rest...}', to: '/new/{rest...}' }] }, '/v1', '/new'],
  [{ paths: [{ from: '/v1/{rest...}', to: '/{rest...}' }] }, '/v1', '/'],
  [{ paths: [{ from: '/v1/a', to: '/first' }, { from: '/v1/{x}', to: '/second' }] }, '/v1/a', '/first'],
  [{ paths: [{ from: '/v1/a', to: '/first' }, { from: '/v1/{x}', to: '/second' }] }, '/v1/b', '/second'],
  [{ stripPrefix: true, addPrefix: '/z', paths: [{ from: '/', to: '/home' }] }, '/v1', '/z/home'],
  [{ paths: [{ from: '/v1/%C3%A9/{x}', to: '/e/{x}' }] }, '/v1/%C3%A9/%20', '/e/%20'],
])('%j makes of %s %s', (policy, path, sent) => {
  expect(new PathRewrite(policy, '/v1').path(path)).toBe(sent);
}); // prettier-ignore

it('takes one look at each segment, whatever is sent', () => {
  const paths = [{ from: `${'/{a}'.replace('a', 'x')}/b/b/b/b/b/b/b/c`, to: '/d' }];
  const rewrite = new PathRewrite({ paths }, '/');
  const path = '/a' + '/b'.repeat(4000);
  expect(rewrite.path(path)).toBe(path);
});

it.each<[changes: QueryChangeFields, query: string, sent: string]>([
  [{}, '?a=1&&b', '?a=1&&b'],
  [{ remove: ['a'] }, '?a=1&b=%2F&a', '?b=%2F'],
  [{ remove: ['a'] }, '?a=1', ''],
  [{ remove: ['a'] }, '?%61=1&A=2', '?A=2'],
  [{ remove: ['a b', 'é'] }, '?a+b=1&a%20b=2&%C3%A9=3', ''],
  [{ remove: ['a'] }, '', ''],
  [{ set: { a: '1' } }, '', '?a=1'],
  [{ set: { a: '1' } }, '?b=2&a=9&%61=8', '?b=2&a=1'],
  [{ set: { 'a&b': 'x y&z=1#' } }, '?c', '?c&a%26b=x%20y%26z%3D1%23'],
  [{ set: { id: '{request.id}' } }, '', '?id=a%26b%3Dc'],
  [{ set: { id: '{header.X}' } }, '?id=forged', ''],
])('%j makes of the query %j %j', (changes, query, sent) => {
  expect(new QueryChanges(changes).apply(query, FACTS)).toBe(sent);
});

describe('responses are brought back', () => {
  const upstream = {
    origin: 'http://up.test:8080',
    basePath: '/base',
    ownPath: '/base',
    host: 'up.test:8080',
  };
  const paths = [{ from: '/users/{id}', to: '/people/{id}' }];
  const rewrite = new PathRewrite({ stripPrefix: true, addPrefix: '/v2', paths }, '/v1');
  const way = (mount: string, through = rewrite) => ({
    reach: through.added,
    root: mount + through.stripped,
    original: (path: string): string | undefined => {
      const own = through.original(path);
      return own === undefined ? undefined : mount + own;
    },
  });
  const mapped = (name: string, value: string, mount = '/api', at = upstream, through = rewrite): string => {
    const headers = ['X-Other', '/base/v2', name, value];
    new MappedBack(at, way(mount, through)).apply(headers);
    expect(headers.slice(0, 2)).toEqual(['X-Other', '/base/v2']);
    return headers[3] as string;
  };

  it.each([
    ['/base/v2/x?y=/base/v2#z', '/api/v1/x?y=/base/v2#z'],
    ['http://up.test:8080/base/v2/x', '/api/v1/x'],
    ['HTTP://UP.test:8080/base/v2', '/api/v1'],
    ['/base/v2/people/7', '/api/v1/users/7'],
    ['/base/v2/', '/api/v1/'],
    ['http://up.test/base/v2/x', 'http://up.test/base/v2/x'],
    ['https://other.test/base/v2/x', 'https://other.test/base/v2/x'],
    ['//up.test:8080/base/v2/x', '//up.test:8080/base/v2/x'],
    ['/base/v3/x', '/base/v3/x'],
    ['/based/v2/x', '/based/v2/x'],
    ['next?page=2', 'next?page=2'],
    ['mailto:a@b.test', 'mailto:a@b.test'],
    ['', ''],
  ])('Location %j as %j', (value, client) => {
    expect(mapped('Location', value)).toBe(client);
    expect(mapped('content-location', value)).toBe(client);
  });

  it('never to another host', () => {
    const plain = { ...upstream, basePath: '/base' };
    const none = new PathRewrite({}, '/');
    expect(mapped('Location', '/base//evil.test', '', plain, none)).toBe('/base//evil.test');
    expect(mapped('Location', '/base/\\evil.test', '', plain, none)).toBe('/base/\\evil.test');
  });

  it.each([
    ['a=1; Path=/base/v2/x; HttpOnly', 'a=1; Path=/api/v1/x; HttpOnly'],
    ['a=1; path=/base/v2/', 'a=1; Path=/api/v1'],
    ['a=1;Path=/', 'a=1; Path=/api/v1'],
    ['a=1; Path=/base', 'a=1; Path=/api/v1'],
    ['a=1; Path=/elsewhere', 'a=1; Path=/elsewhere'],
    ['a=1; Domain=up.test; Secure', 'a=1; Secure'],
    ['a=1; Domain=.Up.Test', 'a=1'],
    ['a=1; Domain=test', 'a=1; Domain=test'],
    ['Path=/base/v2; SameSite=Lax', 'Path=/base/v2; SameSite=Lax'],
  ])('Set-Cookie %j as %j', (value, client) => {
    expect(mapped('Set-Cookie', value)).toBe(client);
  });

  it('cookies for everything of a published root stay so', () => {
    expect(
      mapped('Set-Cookie', 'a=1; Path=/', '', { ...upstream, basePath: '' }, new PathRewrite({}, '/')),
    ).toBe('a=1; Path=/');
  });
});
