import { HeaderChanges, type HeaderChangeFields } from './header-changes';
import type { RequestFacts } from './header-text';

const facts = (headers: Record<string, string> = {}, more: Partial<RequestFacts> = {}): RequestFacts => ({
  clientAddress: '203.0.113.7',
  requestId: 'r-1',
  tenantId: 'acme',
  route: '/v1',
  principal: 'alice',
  header: (name) => headers[name],
  ...more,
});

it.each<[changes: HeaderChangeFields, before: string[], after: string[]]>([
  [{ 'X-A': 'new' }, ['x-a', 'old', 'X-B', 'b'], ['X-B', 'b', 'X-A', 'new']],
  [{ 'X-A': 'new' }, ['X_A', 'look-alike', 'x.a', 'another'], ['X-A', 'new']],
  [{ 'X-A': '' }, ['X-A', '1', 'X-B', 'b', 'X-A', '2'], ['X-B', 'b']],
  [{ 'X-A': { add: 'second' } }, ['X-A', 'first'], ['X-A', 'first', 'X-A', 'second']],
  [{ 'X-A': { rename: 'X-B' } }, ['x-a', '1', 'X-A', '2'], ['X-B', '1', 'X-B', '2']],
  // Whoever reads the new name must not be told something else by somebody else.
  [{ 'X-A': { rename: 'X-B' } }, ['X-B', 'forged', 'X-A', '1'], ['X-B', '1']],
  [{ 'X-A': { rename: 'X-B' } }, ['X-B', 'forged'], []],
  [{ 'X-A': { rename: 'X-B' }, 'X-B': '' }, ['X-A', '1'], ['X-B', '1']],
  [{ 'X-A': { rename: 'X-B' }, 'X-C': { add: 'c' } }, ['X-A', '1'], ['X-B', '1', 'X-C', 'c']],
])('%j makes of %j %j', (changes, before, after) => {
  new HeaderChanges(changes).apply(before);
  expect(before).toEqual(after);
});

it.each<[text: string, value: string | undefined, headers?: Record<string, string>]>([
  ['{client.ip}', '203.0.113.7'],
  ['{request.id}/{tenant.id}', 'r-1/acme'],
  ['route {route}, by {principal}', 'route /v1, by alice'],
  ['{header.X-Id}', '7', { 'x-id': '7' }],
  ['a{header.X-Id}b', 'ab'],
  ['{header.X-Id}', undefined],
  ['{"json":1}', '{"json":1}'],
  ['{{route}}', '{/v1}'],
  ['{header.X-Id}', 'a%0D%0AX-Evil: 1', { 'x-id': 'a\r\nX-Evil: 1' }],
  ['{header.X-Id}', 'a%00b%7F', { 'x-id': 'a\0b\x7f' }],
  ['{header.X-Id}', '%C3%A9', { 'x-id': 'é' }],
  ['{header.X-Id}', 'ab', { 'x-id': 'a\ud800b' }],
  ['{header.X-Id}', 'b', { 'x-id': '  b ' }],
  ['{header.X-Id}', undefined, { 'x-id': 'x'.repeat(8193) }],
])('%j stands for %j', (text, value, ...headers) => {
  const list: string[] = [];
  new HeaderChanges({ 'X-A': text }).apply(list, facts(headers[0]));
  expect(list).toEqual(value === undefined ? [] : ['X-A', value]);
});

it('a principal that somebody has chosen ends no line', () => {
  const list: string[] = [];
  const evil = { principal: 'x\r\nSet-Cookie: admin=1' };
  new HeaderChanges({ 'X-A': '{principal}' }).apply(list, facts({}, evil));
  expect(list).toEqual(['X-A', 'x%0D%0ASet-Cookie: admin=1']);
});
