import { AddressPolicy } from '../address-policy';
import { checkRouteShape, checkShape } from './check-shape';
import { shapeOf, type RouteShapeFields } from './shape';

/** The fields that are wrong with a route at `/v1`. */
function wrong(fields: object, prefixes = true): string[] {
  const found: string[] = [];
  const report = (field: string): void => void found.push(field);
  const addresses = new AddressPolicy(false);
  checkRouteShape(fields as Record<string, unknown>, '', { path: '/v1', prefixes }, addresses, report);
  return found;
}

it.each<RouteShapeFields>([
  {},
  { requestHeaders: { 'X-A': 'a {client.ip} {header.X-B}', 'X-C': '', 'X-D': { add: 'd' } } },
  { requestHeaders: { Authorization: 'Basic x', Cookie: '' }, responseHeaders: { 'Set-Cookie': 'a=1' } },
  { responseHeaders: { 'Set-Cookie': { add: 'a=1' }, Server: '', 'X-A': { rename: 'X-B' }, 'X-B': '' } },
  { requestHeaders: { 'X-Json': '{"a":{"b":1}}' } },
  { compression: true },
  { compression: false },
  { compression: { algorithms: ['gzip', 'br'], minBytes: 0, types: ['text/*'], levels: { br: 0 }, events: true } },
  { mirror: { url: 'https://shadow.example.com/base', percent: 0.5, headers: { 'X-Env': 'shadow' } } },
  { mirror: { service: '3', methods: ['POST'], maxBodyBytes: 0, timeoutMs: 1, credentials: true } },
  { rewrite: { stripPrefix: true, addPrefix: '/v2' } },
  { rewrite: { stripPrefix: '/v1', responses: true } },
  { rewrite: { paths: [{ from: '/users/{id}', to: '/v2/people/{id}' }, { from: '/{all...}', to: '/x/{all...}' }] } },
  { rewrite: { paths: [{ from: '/a', to: '/' }], query: { set: { 'a b': '{request.id}' }, remove: ['debug'] } } },
])('%j is accepted, and can be served', (fields) => {
  expect(wrong(fields)).toEqual([]);
  expect(shapeOf(fields, '/v1') === undefined).toBe(Object.keys(fields).length === 0);
}); // prettier-ignore

it.each<[fields: object, ...found: string[]]>([
  [{ requestHeaders: [] }, 'requestHeaders'],
  [{ requestHeaders: { Host: 'x' } }, 'requestHeaders.Host'],
  [{ requestHeaders: { 'Transfer-Encoding': '' } }, 'requestHeaders.Transfer-Encoding'],
  [{ requestHeaders: { Content_Length: '1' } }, 'requestHeaders.Content_Length'],
  [{ requestHeaders: { 'X-API-Key': '' } }, 'requestHeaders.X-API-Key'],
  [{ requestHeaders: { 'X-Forwarded-For': '{client.ip}' } }, 'requestHeaders.X-Forwarded-For'],
  [{ requestHeaders: { Connection: { rename: 'X-A' } } }, 'requestHeaders.Connection'],
  [{ requestHeaders: { 'X-A': { rename: 'Connection' } } }, 'requestHeaders.X-A.rename'],
  [{ requestHeaders: { 'X-A': { rename: 'Authorization' } } }, 'requestHeaders.X-A.rename'],
  [{ requestHeaders: { Authorization: { rename: 'X-A' } } }, 'requestHeaders.Authorization'],
  [{ requestHeaders: { Cookie: { add: 'a=1' } } }, 'requestHeaders.Cookie'],
  [{ requestHeaders: { 'X-A': { add: '' } } }, 'requestHeaders.X-A.add'],
  [{ requestHeaders: { 'X-A': {} } }, 'requestHeaders.X-A'],
  [{ requestHeaders: { 'X-A': { add: 'a', rename: 'X-B' } } }, 'requestHeaders.X-A'],
  [{ requestHeaders: { 'X-A': { set: 'a' } } }, 'requestHeaders.X-A.set', 'requestHeaders.X-A'],
  [{ requestHeaders: { 'X-A': { rename: 'X-B' }, 'X-B': 'b' } }, 'requestHeaders.X-A.rename'],
  [{ requestHeaders: { 'X-A': { rename: 'X-C' }, 'X-B': { rename: 'x-c' } } }, 'requestHeaders.X-B.rename'],
  [{ requestHeaders: { 'X-A': 'a\r\nb' } }, 'requestHeaders.X-A'],
  [{ requestHeaders: { 'X-A': '{header.Authorization}' } }, 'requestHeaders.X-A'],
  [{ responseHeaders: { 'X-A': '{header.cookie}' } }, 'responseHeaders.X-A'],
  [{ responseHeaders: { 'X-A': { add: '{header.X-Api-Key}' } } }, 'responseHeaders.X-A.add'],
  [{ responseHeaders: { 'X-A': '{client.ipp}' } }, 'responseHeaders.X-A'],
  [{ responseHeaders: { 'X-A': '{header.}' } }, 'responseHeaders.X-A'],
  [{ responseHeaders: { 'X-A': '{route}'.repeat(9) } }, 'responseHeaders.X-A'],
  [{ responseHeaders: { 'Content-Encoding': '' } }, 'responseHeaders.Content-Encoding'],
  [{ responseHeaders: { 'Access-Control-Allow-Origin': '*' } }, 'responseHeaders.Access-Control-Allow-Origin'],
  [{ compression: 'gzip' }, 'compression'],
  [{ compression: { algorithms: [] } }, 'compression.algorithms'],
  [{ compression: { algorithms: ['gzip', 'gzip'] } }, 'compression.algorithms'],
  [{ compression: { algorithms: ['deflate'] } }, 'compression.algorithms'],
  [{ compression: { minBytes: -1, types: ['json'], events: 1, level: 5 } }, 'compression.level', 'compression.minBytes', 'compression.types', 'compression.events'],
  [{ compression: { levels: { br: 11, gzip: 0, lz4: 1 } } }, 'compression.levels.lz4', 'compression.levels.br', 'compression.levels.gzip'],
  [{ mirror: {} }, 'mirror'],
  [{ mirror: { url: 'http://u.test', service: '1' } }, 'mirror'],
  [{ mirror: { url: 'http://10.0.0.1' } }, 'mirror.url'],
  [{ mirror: { url: 'http://u.test?x' } }, 'mirror.url'],
  [{ mirror: { service: '' } }, 'mirror.service'],
  [{ mirror: { service: '1', percent: 101, methods: ['get'], maxBodyBytes: 1e9, timeoutMs: 0 } }, 'mirror.percent', 'mirror.methods', 'mirror.maxBodyBytes', 'mirror.timeoutMs'],
  [{ mirror: { service: '1', headers: { 'X-Forwarded-For': 'x' }, credentials: 'no', x: 1 } }, 'mirror.x', 'mirror.headers.X-Forwarded-For', 'mirror.credentials'],
  [{ rewrite: true }, 'rewrite'],
  [{ rewrite: { stripPrefix: '/v2' } }, 'rewrite.stripPrefix'],
  [{ rewrite: { addPrefix: '/a*' } }, 'rewrite.addPrefix'],
  [{ rewrite: { paths: [{ from: 'users', to: '/x' }] } }, 'rewrite.paths.0.from'],
  [{ rewrite: { paths: [{ from: '/a/../b', to: '/%2e' }] } }, 'rewrite.paths.0.from', 'rewrite.paths.0.to'],
  [{ rewrite: { paths: [{ from: '/(a+)+$', to: '/a?b' }] } }, 'rewrite.paths.0.to'],
  [{ rewrite: { paths: [{ from: '/{a}/{a}', to: '/x-{a}' }] } }, 'rewrite.paths.0.from', 'rewrite.paths.0.to'],
  [{ rewrite: { paths: [{ from: '/{a...}/b', to: '/x' }] } }, 'rewrite.paths.0.from'],
  [{ rewrite: { paths: [{ from: '/{a}', to: '/{b}' }] } }, 'rewrite.paths.0.to'],
  [{ rewrite: { paths: [{ from: '/{a}', to: '/{a...}' }] } }, 'rewrite.paths.0.to'],
  [{ rewrite: { query: { set: { a: 5, '': 'x', b: '{header.cookie}' }, remove: 'a' } } }, 'rewrite.query.set.a', 'rewrite.query.set', 'rewrite.query.set.b', 'rewrite.query.remove'],
  [{ rewrite: { responses: 'yes', regex: '.*' } }, 'rewrite.regex', 'rewrite.responses'],
])('%j is refused for %s', (fields, ...found) => {
  expect(wrong(fields)).toEqual(found);
}); // prettier-ignore

it('leaves the prefixes of published routes to those routes', () => {
  const rewrite = { stripPrefix: true, addPrefix: '/x' };
  expect(wrong({ rewrite }, false)).toEqual(['rewrite.stripPrefix', 'rewrite.addPrefix']);
});

it('names the place of what is wrong', () => {
  const found: string[] = [];
  checkShape({ compression: 1 }, 'allowedRoutes.2', undefined, (field) => void found.push(field));
  expect(found).toEqual(['allowedRoutes.2.compression']);
});
