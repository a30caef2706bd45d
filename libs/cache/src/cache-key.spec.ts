import { ServedCachePolicy, type CachePolicy } from '#libs/tenants';
import { cacheKey, keyedQuery, variantKey, type KeyParts } from './cache-key';
import { identityOf } from './identity';
import { readRequestFields } from './request-fields';

const PARTS: KeyParts = {
  scheme: 'https',
  host: 'a.test',
  path: '/x',
  query: '?q=1',
  place: 'p',
  identity: '',
};

it('two requests that differ in any part have two keys, wherever the border between the parts is', () => {
  const policy = new ServedCachePolicy({ varyOn: ['X-A', 'X-B'] });
  const requests: Array<[Partial<KeyParts>, string[]?]> = [
    [{}],
    [{ scheme: 'http' }],
    [{ host: 'b.test' }],
    [{ path: '/xx' }],
    [{ path: '/x?q=1', query: '?q=2' }],
    [{ query: '?q=1 p' }],
    [{ place: 'p x', identity: '' }],
    [{ place: 'p', identity: 'x' }],
    [{}, ['X-A', '1']],
    [{}, ['X-B', '1']],
    [{}, ['X-A', '', 'X-B', '']],
    [{}, ['X-A', '1', 'X-B', '1']],
    [{}, ['X-A', '1=', 'X-B', '1']],
    [{}, ['X-A', '1, 1']],
  ];
  const keys = requests.map(
    ([parts, headers = []]) => cacheKey({ ...PARTS, ...parts }, policy, headers).primary,
  );
  expect(new Set(keys).size).toBe(requests.length);
  const other = new ServedCachePolicy({ varyOn: ['X-A', 'X-B'], perIdentity: false });
  expect(keys).not.toContain(cacheKey(PARTS, other, []).primary);
  expect(cacheKey({ ...PARTS, host: 'A.test' }, policy, []).primary).toBe(keys[0]);
});

describe('the query that counts', () => {
  const rows: Array<[query: string, policy: CachePolicy['keyQuery'], kept: string]> = [
    ['', undefined, ''],
    ['?', undefined, ''],
    ['?b=1&a=2', undefined, '?b=1&a=2'],
    ['?b=1&a=2&&b=3', { ignore: ['a'] }, '?b=1&b=3'],
    ['?a=1', { ignore: ['a'] }, ''],
    ['?a+b=1&%61=2', { ignore: ['a', 'a b'] }, ''],
    ['?a=1;b=2', { ignore: ['a'] }, '?a=1;b=2'],
    ['?a=1&b=2', { include: ['b'] }, '?b=2'],
    ['?a=1;b=2', { include: ['b'] }, '?a=1;b=2'],
    ['?%=1', { include: ['b'] }, '?%=1'],
  ];
  it.each(rows)('%s by %j: %j', (query, keyQuery, kept) =>
    expect(keyedQuery(query, new ServedCachePolicy({ keyQuery }))).toBe(kept),
  );
});

it('variants differ where a named header does, absent or empty, and not by the spelling of what a client accepts', () => {
  const key = (...headers: string[]): string => variantKey(['accept-encoding', 'x-a'], headers);
  expect(new Set([key(), key('X-A', ''), key('x-a', 'b'), key('Accept-Encoding', 'b')]).size).toBe(4);
  expect(key('Accept-Encoding', 'gzip, BR')).toBe(key('accept-encoding', 'gzip,br'));
});

it('a principal is its issuer, subject and rights, or else its credential', () => {
  const token = (claims: object, subject: string | undefined = 'ann', issuer = 'i') => ({
    issuer,
    subject,
    claims: { ...claims },
  });
  const admin = identityOf(token({ role: 'admin', exp: 1, jti: 'a' }), 'Bearer a', undefined);
  expect(identityOf(token({ jti: 'b', role: 'admin', iat: 2 }), 'Bearer b', undefined)).toBe(admin);
  const others = [
    identityOf(token({ role: 'user' }), 'Bearer a', undefined),
    identityOf(token({ role: 'admin' }, 'bob'), 'Bearer a', undefined),
    identityOf(token({ role: 'admin' }, 'ann', 'j'), 'Bearer a', undefined),
    identityOf(token({ role: 'admin' }), 'Bearer a', 'session=1'),
    identityOf(undefined, 'Bearer a', undefined),
    identityOf(undefined, undefined, 'Bearer a'),
    identityOf({ issuer: 'i', subject: undefined, claims: {} }, 'Bearer b', undefined),
    identityOf(undefined, undefined, undefined),
    admin,
  ];
  expect(new Set(others).size).toBe(others.length);
});

it('of the headers of a request the ones that matter are read, under any spelling', () => {
  expect(readRequestFields(['X-Any', '1', 'constructor', '2'])).toMatchObject({
    bypass: undefined,
    directives: undefined,
  });
  expect(readRequestFields(['Pragma', 'no-cache'])).toMatchObject({ directives: { noCache: true } });
  expect(readRequestFields(['Pragma', 'no-cache', 'cache-control', 'max-age=1'])).toMatchObject({
    directives: { noCache: false, maxAge: 1 },
  });
  expect(readRequestFields(['cookie', 'a', 'Cookie', 'b'])).toMatchObject({ cookie: 'a, b' });
  for (const name of ['X-Host', 'x_host', 'X-ORIGINAL-URI', 'If-Match'])
    expect(readRequestFields([name, 'x']).bypass).toBe('header');
});
