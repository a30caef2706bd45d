import type { ApiKeyRecord } from './api-key';
import { ServedKey, foreignKeyId, nanoOf } from './served-key';
import { ServedTenant } from './served-tenant';

const NOW = Date.parse('2026-06-15T12:00:00.000Z');
const CLIENT = '203.0.113.7';
const served = (more: Partial<ApiKeyRecord> = {}): ServedKey =>
  ServedKey.of({
    id: 'k1',
    tenantId: 'acme',
    name: 'k',
    prefix: 'gh_live_abcd',
    createdAt: '2026-01-01T00:00:00.000Z',
    enabled: true,
    ...more,
  });

describe('the objection to a request', () => {
  it.each<[title: string, record: Partial<ApiKeyRecord>, now: number, objection: string | undefined]>([
    ['none, without restrictions', {}, NOW, undefined],
    ['none, to an enabled key', { enabled: true }, NOW, undefined],
    ['disabled', { enabled: false }, NOW, 'key_disabled'],
    ['none in the last millisecond before it expires', { expiresAt: at(NOW) }, NOW - 1, undefined],
    ['expired from that moment on', { expiresAt: at(NOW) }, NOW, 'key_expired'],
    ['none in the last millisecond of a rotation', { validUntil: at(NOW) }, NOW - 1, undefined],
    ['expired at the end of a rotation', { validUntil: at(NOW) }, NOW, 'key_expired'],
    ['a rotation that outlasts the key', { expiresAt: at(NOW), validUntil: at(NOW + 9) }, NOW, 'key_expired'],
    ['a key that outlasts its rotation', { expiresAt: at(NOW + 9), validUntil: at(NOW) }, NOW, 'key_expired'],
    ['disabled, before expired', { enabled: false, expiresAt: at(NOW) }, NOW, 'key_disabled'],
    ['none, when it costs, counts and is limited', { pricePerRequest: '1', monthlyQuota: 1 }, NOW, undefined],
  ])('%s', (_, record, now, objection) => {
    expect(served(record).objection(now, 'GET', '/v1/x', CLIENT)).toBe(objection);
  });

  it.each([
    ['GET', undefined],
    ['HEAD', undefined],
    ['PUT', undefined],
    ['POST', 'key_not_allowed'],
    ['get', 'key_not_allowed'],
    ['OPTIONS', 'key_not_allowed'],
  ])('of a key for GET and PUT to %s is %s', (method, objection) => {
    expect(served({ allowedMethods: ['GET', 'PUT'] }).objection(NOW, method, '/', CLIENT)).toBe(objection);
  });

  it('to HEAD, of a key that is not for GET', () => {
    expect(served({ allowedMethods: ['PUT'] }).objection(NOW, 'HEAD', '/', CLIENT)).toBe('key_not_allowed');
  });

  it.each([
    ['/v1/orders', undefined],
    ['/v1/orders/', undefined],
    ['/v1/orders/7', undefined],
    ['/v2', undefined],
    ['/v2/Any/Thing', undefined],
    ['/', 'key_not_allowed'],
    ['/v1', 'key_not_allowed'],
    ['/v1/ordersX', 'key_not_allowed'],
    ['/v1/users', 'key_not_allowed'],
    // What some server reads as another place is none of them.
    ['/v1/Orders', 'key_not_allowed'],
    ['/v1/orders;a', 'key_not_allowed'],
    ['/v1/orders.', 'key_not_allowed'],
    ['/V2', 'key_not_allowed'],
    ['/v2;/../v1/users', 'key_not_allowed'],
    ['/v1;a/orders', 'key_not_allowed'],
  ])('of a key for /v1/orders and /v2 to %s is %s', (path, objection) => {
    const key = served({ allowedRoutes: ['/v1/orders', '/v2/*'] });
    expect(key.objection(NOW, 'GET', path, CLIENT)).toBe(objection);
  });

  it('none to any path, of a key for the root', () => {
    const key = served({ allowedRoutes: ['/'] });
    expect(['/', '/v1', '/V1;a/b.'].map((path) => key.objection(NOW, 'GET', path, CLIENT))).toEqual(
      [undefined, undefined, undefined],
    ); // prettier-ignore
  });

  it.each([
    ['203.0.113.7', undefined],
    ['198.51.100.9', undefined],
    ['198.51.101.0', 'address_not_allowed'],
    ['2001:db8::9', undefined],
    ['2001:db9::9', 'address_not_allowed'],
    ['', 'address_not_allowed'],
    ['unknown', 'address_not_allowed'],
  ])('from %s is %s', (address, objection) => {
    const key = served({ allowedIps: ['203.0.113.7', '198.51.100.0/24', '2001:db8::/32'] });
    expect(key.objection(NOW, 'GET', '/', address)).toBe(objection);
  });
});

it('shares its terms with the keys that have the same, and its bucket with none', () => {
  const rateLimit = { maxRequests: 10, windowSeconds: 60 };
  const [one, two] = [served({ rateLimit }), served({ id: 'k2', rateLimit })];
  const termsOf = (key: ServedKey): unknown => (key as unknown as { terms: unknown }).terms;
  expect(termsOf(one)).toBe(termsOf(two));
  expect(termsOf(one)).not.toBe(termsOf(served({ monthlyQuota: 1 })));
  expect(one.bucket).toMatchObject({ key: 'rl:{acme}:key:k1:60', capacity: 10, windowMs: 60_000 });
  expect(two.bucket).toMatchObject({ key: 'rl:{acme}:key:k2:60' });
});

it('says what it opens, costs and may use', () => {
  const key = served({ serviceId: '3', pricePerRequest: '0.0005', monthlyQuota: 1000 });
  expect([key.serviceId, key.priceNano, key.monthlyQuota, key.bucket]).toEqual(
    ['3', 500_000, 1000, undefined],
  ); // prettier-ignore
  expect(served({ pricePerRequest: '0' }).priceNano).toBe(0);
});

it('makes one caller with its tenant, until that is compiled anew', () => {
  const tenant = (): ServedTenant =>
    new ServedTenant({ id: 'acme', name: 'A', upstreamBaseUrl: 'http://a.example', allowedRoutes: [] });
  const [key, before, after] = [served(), tenant(), tenant()];
  const caller = key.callerOf(before);
  expect(key.callerOf(before)).toBe(caller);
  expect(key.callerOf(after)).toMatchObject({ tenant: after, key });
  expect(key.callerOf(after).tenant).toBe(after);
  expect(caller.tenant).toBe(before);
  expect(key.tenantId).toBe('acme');
});

it('of another program is known by the beginning of its digest', () => {
  expect(foreignKeyId('0123456789abcdef')).toBe('sha256-0123456789ab');
  const key = ServedKey.foreign('0123456789abcdef', 'acme');
  expect([key.id, key.tenantId]).toEqual(['sha256-0123456789ab', 'acme']);
  expect(key.objection(NOW, 'DELETE', '/', '')).toBeUndefined();
});

it.each([
  ['0', 0],
  ['1', 1_000_000_000],
  ['0.001', 1_000_000],
  ['0.000000001', 1],
  ['0.1', 100_000_000],
  ['0.000000015', 15],
  ['4.35', 4_350_000_000],
  ['1.10', 1_100_000_000],
  ['999999.999999999', 999_999_999_999_999],
  ['1000000', 1_000_000_000_000_000],
])('%s is %i nano-units, exactly', (decimal, nano) => {
  expect(nanoOf(decimal)).toBe(nano);
});

function at(time: number): string {
  return new Date(time).toISOString();
}
