import { checkApiKeyFields, parseKeyMapping } from './check-api-key';

const NOW = Date.parse('2026-06-15T12:00:00.000Z');
const FIELDS = {
  name: 'billing',
  serviceId: '3',
  mode: 'test',
  labels: { team: 'a', 'example.com/env': '' },
  expiresAt: '2026-06-15T14:00:00.001+02:00',
  enabled: false,
  rateLimit: { maxRequests: 10, windowSeconds: 60 },
  pricePerRequest: '0.001',
  allowedRoutes: ['/v1/*', '/v2'],
  allowedMethods: ['GET', 'POST'],
  allowedIps: ['203.0.113.7', '10.0.0.0/8', '2001:db8::/32', '::1'],
  monthlyQuota: 1_000_000_000_000,
};
const { serviceId: _serviceId, mode: _mode, ...PATCHABLE } = FIELDS;
const problems = (document: unknown, kind: 'create' | 'patch' = 'create'): string[] =>
  checkApiKeyFields(document, kind, NOW).map(({ field }) => field);
const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

describe('the fields of a key are accepted', () => {
  it.each<[title: string, document: object]>([
    ['all of them', FIELDS],
    ['the least there can be', { name: 'k' }],
    ['what is empty or not given', { name: 'k', labels: {}, expiresAt: undefined }],
    [
      'as many labels as there may be',
      { name: 'k', labels: Object.fromEntries(many(20, (i) => [`l${i}`, 'x'])) },
    ],
    ['the longest label', { name: 'k', labels: { ['l'.repeat(63)]: 'x'.repeat(100) } }],
    ['an expiry in a millisecond', { name: 'k', expiresAt: new Date(NOW + 1).toISOString() }],
    ['an expiry without a fraction', { name: 'k', expiresAt: '2028-02-29T23:59:59Z' }],
    ['the largest limit', { name: 'k', rateLimit: { maxRequests: 1_000_000_000, windowSeconds: 9007 } }],
    ['no price, and all addresses', { name: 'k', pricePerRequest: '0', allowedIps: ['0.0.0.0/0', '::/0'] }],
    ['the lowest price', { name: 'k', pricePerRequest: '0.000000001' }],
    ['the highest price', { name: 'k', pricePerRequest: '1000000.000000000' }],
  ])('%s', (_, document) => {
    expect(checkApiKeyFields(document, 'create', NOW)).toEqual([]);
  });

  it('in a patch, each alone', () => {
    const refused = Object.entries(PATCHABLE).filter(
      ([field, value]) => problems({ [field]: value }, 'patch').length,
    );
    expect(refused).toEqual([]);
    expect(problems({}, 'patch')).toEqual([]);
  });

  it('in a patch, where null removes what can be removed', () => {
    const removals = Object.fromEntries(Object.keys(PATCHABLE).map((field) => [field, null]));
    expect(problems(removals, 'patch')).toEqual(['name', 'enabled']);
  });
});

const NO_COUNTS = [0, -1, 1.5, NaN, JSON.parse('1e309') as number, -Infinity, '10', true, {}, [], null];

describe('refused, naming the field, in new keys and in patches', () => {
  it.each<[field: string, documents: object[]]>([
    ['name', ['', '  ', 'n'.repeat(101), 7, ['k'], {}, null].map((name) => ({ name }))],
    [
      'labels',
      ['team=a', ['a'], 7, Object.fromEntries(many(21, (i) => [`l${i}`, 'x']))].map((labels) => ({ labels })),
    ],
    ['labels.team', [7, true, {}, null, ['a'], 'x'.repeat(101)].map((team) => ({ labels: { team } }))],
    ['labels.-a', [{ labels: { '-a': 'x' } }]],
    ['labels.', [{ labels: { '': 'x' } }]],
    ['labels.__proto__', [{ labels: JSON.parse('{"__proto__":"x"}') as object }]],
    [`labels.${'l'.repeat(64)}`, [{ labels: { ['l'.repeat(64)]: 'x' } }]],
    [
      'expiresAt',
      [
        '', 'tomorrow', '2027-01-01', '2027-01-01T00:00:00', '2027-01-01 00:00:00Z', '2027-02-30T00:00:00Z',
        '2027-13-01T00:00:00Z', '2027-01-01T24:00:00Z', '2027-01-01T00:00:60Z', '2027-01-01T00:00:00+25:00',
        '+020270-01-01T00:00:00Z', NOW + 1, NaN, true, {}, [],
        // Expired, in one notation or another.
        '2026-06-15T12:00:00.000Z', '2026-06-15T13:59:59+02:00', '1970-01-01T00:00:00Z',
      ].map((expiresAt) => ({ expiresAt })),
    ], // prettier-ignore
    ['enabled', ['true', 1, 0, {}, null].map((enabled) => ({ enabled }))],
    ['rateLimit', [10, '10/60', [], true].map((rateLimit) => ({ rateLimit }))],
    [
      'rateLimit.maxRequests',
      NO_COUNTS.map((maxRequests) => ({ rateLimit: { maxRequests, windowSeconds: 60 } })),
    ],
    [
      'rateLimit.windowSeconds',
      NO_COUNTS.map((windowSeconds) => ({ rateLimit: { maxRequests: 1, windowSeconds } })),
    ],
    ['rateLimit.windowSeconds', [{ rateLimit: { maxRequests: 1 } }]],
    ['rateLimit', [{ rateLimit: { maxRequests: 1_000_000_000, windowSeconds: 31 * 86_400 } }]],
    [
      'pricePerRequest',
      [
        '', '-1', '+1', '-0', '.5', '1.', '01', '1e3', '1,5', ' 1', '1 ', '0x1', 'NaN', 'Infinity', '0.0000000001',
        '1000000.000000001', '1000001', '10000000', 1, 0.001, NaN, Infinity, true, {}, [],
      ].map((pricePerRequest) => ({ pricePerRequest })),
    ], // prettier-ignore
    [
      'allowedRoutes',
      [[], '/v1', {}, true, many(101, (i) => `/${i}`)].map((allowedRoutes) => ({ allowedRoutes })),
    ],
    [
      'allowedRoutes.1',
      [
        '',
        'v1',
        '/v1/:id',
        '/v1/*/x',
        '/v1?x=1',
        '/../v1',
        '/v1/%2f',
        '/é',
        7,
        null,
        ['/v1'],
        { path: '/v1' },
      ].map((path) => ({ allowedRoutes: ['/', path] })),
    ],
    [
      'allowedMethods',
      [[], 'GET', ['get'], ['GET', 7], [''], ['*'], [null], {}, many(101, () => 'GET')].map(
        (allowedMethods) => ({
          allowedMethods,
        }),
      ),
    ],
    [
      'allowedIps',
      [[], '10.0.0.1', {}, true, many(101, (i) => `10.0.0.${i}`)].map((allowedIps) => ({ allowedIps })),
    ],
    [
      'allowedIps.1',
      [
        '', 'localhost', '*', '10.0.0', '10.0.0.256', '010.0.0.1', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '/8',
        '10.0.0.0/08', '10.0.0.0/8/8', '10.0.0.0/255.0.0.0', '10.0.0.0/8 ', '10.0.0.1-10.0.0.9', '::/129', '::g',
        'fe80::1%eth0', '[::1]', '::ffff:0:0/95', '10.*.1', '10.0*', 7, null, ['10.0.0.1'],
      ].map((block) => ({ allowedIps: ['10.0.0.1', block] })),
    ], // prettier-ignore
    [
      'monthlyQuota',
      [...NO_COUNTS.slice(0, -1), 1_000_000_000_001].map((monthlyQuota) => ({ monthlyQuota })),
    ],
    ['id', [{ id: 'mine' }]],
    ['tenantId', [{ tenantId: 'other' }]],
    ['validUntil', [{ validUntil: '2030-01-01T00:00:00Z' }]],
    ['replacedBy', [{ replacedBy: 'x' }]],
    ['allowedIPs', [{ allowedIPs: ['10.0.0.1'] }]],
    ['constructor', [{ constructor: 1 }]],
    ['__proto__', [JSON.parse('{"__proto__":{"enabled":true}}') as object]],
  ])('%s', (field, documents) => {
    const refused = (kind: 'create' | 'patch'): unknown[] =>
      documents.map((document) => [
        document,
        problems({ ...(kind === 'create' && { name: 'k' }), ...document }, kind),
      ]);
    // Spreading would leave out the own property that a parsed `__proto__` is.
    const expected = documents.map((document) => [document, [field]]);
    if (field === '__proto__') expect(problems(documents[0], 'patch')).toEqual([field]);
    else expect([refused('create'), refused('patch')]).toEqual([expected, expected]);
  });

  it('null, where there is nothing yet that could be removed', () => {
    const optional = Object.keys(FIELDS).filter((field) => field !== 'name');
    expect(optional.map((field) => problems({ name: 'k', [field]: null })[0]?.split('.')[0])).toEqual(
      optional,
    );
  });

  it('what never changes', () => {
    expect(problems({ serviceId: '3', mode: 'test' }, 'patch')).toEqual(['serviceId', 'mode']);
    expect(problems({ serviceId: null, mode: null }, 'patch')).toEqual(['serviceId', 'mode']);
  });

  it.each([['0'], ['01'], ['-1'], [''], ['a/b'], ['1:2'], [3], [['3']]])('the service %j', (serviceId) => {
    expect(problems({ name: 'k', serviceId })).toEqual(['serviceId']);
  });

  it.each(['prod', '', 'LIVE', 1])('the mode %j', (mode) => {
    expect(problems({ name: 'k', mode })).toEqual(['mode']);
  });

  it('a new key without a name, and what is no document', () => {
    expect(problems({})).toEqual(['name']);
    expect([null, undefined, 7, 'k', [], [FIELDS]].map((document) => problems(document))).toEqual(
      many(6, () => ['']),
    ); // prettier-ignore
  });

  it('all of what is wrong, not only the first', () => {
    expect(problems({ enabled: 1, allowedIps: ['x', 'y'], surplus: 1 })).toEqual(
      ['name', 'enabled', 'allowedIps.0', 'allowedIps.1', 'surplus'],
    ); // prettier-ignore
  });
});

describe('what lies under the digest of a key', () => {
  const { mode: _, ...fields } = FIELDS;
  const RECORD = {
    id: 'k1',
    tenantId: 'acme',
    prefix: 'gh_live_abcd',
    createdAt: '2026-01-01T00:00:00.000Z',
    ...fields,
  };

  it.each(['acme', 'acme-123', 'service:1', 'with space', '[]', '7', '"acme"', ''])(
    'is the id of a tenant if it is plain text: %j',
    (text) => {
      expect(parseKeyMapping(text)).toEqual({ tenantId: text });
    },
  );

  it.each<[title: string, record: object]>([
    ['the record of a key made here', RECORD],
    ['one that has expired', { ...RECORD, expiresAt: '2020-01-01T00:00:00.000Z' }],
    [
      'one that was rotated',
      { ...RECORD, validUntil: '2020-01-01T00:00:00.000Z', replacedBy: 'k2', replaces: 'k0' },
    ],
    ['one with fields of a later version', { ...RECORD, mood: 'good' }],
  ])('is %s', (_title, record) => {
    expect(parseKeyMapping(JSON.stringify(record))).toEqual({ tenantId: 'acme', record });
  });

  it.each<[field: string, change: object]>([
    ['id', { id: undefined }],
    ['id', { id: 'a:b' }],
    ['id', { id: '' }],
    ['tenantId', { tenantId: undefined }],
    ['tenantId', { tenantId: 'service:1' }],
    ['tenantId', { tenantId: ['acme'] }],
    ['name', { name: undefined }],
    ['prefix', { prefix: 7 }],
    ['createdAt', { createdAt: 'yesterday' }],
    ['enabled', { enabled: undefined }],
    ['enabled', { enabled: 'false' }],
    ['expiresAt', { expiresAt: 'never' }],
    ['validUntil', { validUntil: 1 }],
    ['serviceId', { serviceId: 3 }],
    ['rateLimit.maxRequests', { rateLimit: { windowSeconds: 1 } }],
    ['pricePerRequest', { pricePerRequest: 0.001 }],
    ['allowedIps', { allowedIps: [] }],
    ['allowedRoutes.0', { allowedRoutes: ['v1'] }],
    ['allowedMethods', { allowedMethods: 'GET' }],
    ['monthlyQuota', { monthlyQuota: null }],
  ])('is refused as a whole for its %s: %j', (field, change) => {
    const mapping = parseKeyMapping(JSON.stringify({ ...RECORD, ...change }));
    expect(mapping.tenantId).toBeUndefined();
    expect(mapping.problems?.map((problem) => problem.field)).toEqual([field]);
  });

  it.each(['{', '{"id":', '{"tenantId":"acme"}}'])('is refused if it is broken: %j', (text) => {
    expect(parseKeyMapping(text).problems).toEqual([
      { field: '', message: expect.stringMatching(/^is not JSON: fault at/) },
    ]);
  });
});
