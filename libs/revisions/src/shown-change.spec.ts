import { keys } from '#libs/store';
import { configObjectOf } from './config-object';
import { redacted, shownChange } from './shown-change';

it.each<[unknown, unknown]>([
  [{ secret: 'x' }, { secret: '(secret)' }],
  [{ idp: { secrets: ['x', { env: 'NAME' }] } }, { idp: { secrets: ['(secret)', { env: 'NAME' }] } }],
  [{ signatureKeys: { k: { secret: { env: 'N' } } } }, { signatureKeys: { k: { secret: { env: 'N' } } } }],
  [
    { clientSecret: 'x', clientId: 'y' },
    { clientSecret: '(secret)', clientId: 'y' },
  ],
  [{ foreign: { dbPassword: { value: 'x' } } }, { foreign: { dbPassword: { value: '(secret)' } } }],
  [
    { name: 'secret', on: true, n: 1, none: null },
    { name: 'secret', on: true, n: 1, none: null },
  ],
])('of %j shows %j', (document, shown) => {
  expect(redacted(document)).toEqual(shown);
});

const change = (before: object | null, after: object | null) =>
  shownChange({
    key: 'tenant:acme',
    kind: 'tenant',
    id: 'acme',
    before: before && JSON.stringify(before),
    after: after && JSON.stringify(after),
  });

it.each<[object, object, object[]]>([
  [{ a: 1 }, { a: 1 }, []],
  [{ a: 1 }, { a: 2 }, [{ path: '/a', before: 1, after: 2 }]],
  [
    { a: [1, 2] },
    { a: [1, 3, 4] },
    [
      { path: '/a/1', before: 2, after: 3 },
      { path: '/a/2', before: undefined, after: 4 },
    ],
  ],
  [{ 'a/b~': { c: 1 } }, { 'a/b~': {} }, [{ path: '/a~1b~0/c', before: 1, after: undefined }]],
  [
    { s: { secret: 'x' } },
    { s: { secret: 'y' } },
    [{ path: '/s/secret', before: '(secret)', after: '(secret)' }],
  ],
  [{ a: [1] }, { a: { 0: 1 } }, [{ path: '/a', before: [1], after: { 0: 1 } }]],
])('from %j to %j are the steps %j', (before, after, steps) => {
  expect(change(before, after)).toMatchObject({ change: 'updated', patch: steps });
});

it('says what was made and what is gone', () => {
  expect(change(null, { a: 1 })).toMatchObject({ change: 'created', patch: [] });
  expect(change({ a: 1 }, null)).toMatchObject({ change: 'deleted', patch: [] });
});

it.each<[string, string | undefined, object | undefined]>([
  [keys.tenant('acme'), '{}', { kind: 'tenant', id: 'acme', tenantId: 'acme' }],
  [keys.service('7'), '{"tenantId":"acme"}', { kind: 'service', id: '7', tenantId: 'acme' }],
  [
    keys.apiKeyMapping('ab'.repeat(32)),
    '{"id":"k1","tenantId":"acme"}',
    { kind: 'api_key', id: 'k1', tenantId: 'acme' },
  ],
  [keys.apiKeyMapping('ab'.repeat(32)), 'acme', { kind: 'api_key', id: 'sha256-abababababababab' }],
  [keys.plan('gold'), '{}', { kind: 'plan', id: 'gold' }],
  [keys.planTenants('gold'), undefined, undefined],
  [keys.GATEWAY_MAINTENANCE, '{}', { kind: 'maintenance', id: 'gateway' }],
  [keys.serviceToken('jti'), '{}', undefined],
  [keys.adminToken('x'), '{}', undefined],
  [keys.cachePurges('acme'), '{}', undefined],
  [keys.webhook('w'), '{}', undefined],
])('%s is the object %j', (key, text, object) => {
  const found = configObjectOf(key, text);
  if (object === undefined) expect(found).toBeUndefined();
  else expect(found).toMatchObject(object);
});
