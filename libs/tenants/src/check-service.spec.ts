import { AddressPolicy } from './address-policy';
import { checkServiceFields, parseService } from './check-service';

const FIELDS = {
  name: 'Orders',
  targets: [{ url: 'https://a.example' }, { url: 'http://10.0.0.2:8080/base/', weight: 3 }],
  timeouts: { totalMs: 30_000 },
  rateLimit: { maxRequests: 10, windowSeconds: 60 },
  auth: { jwt: true },
};
const problems = (
  document: unknown,
  addresses?: AddressPolicy,
  issuers = ['https://issuer.test'],
): string[] => checkServiceFields(document, addresses, issuers).map(({ field }) => field);
const targets = (...list: unknown[]): object => ({ targets: list });

it.each<[title: string, change: object]>([
  ['all that can be said', {}],
  ['the least', { timeouts: undefined, rateLimit: undefined, auth: undefined }],
  ['64 targets', { targets: Array.from({ length: 64 }, (_, i) => ({ url: `http://t${i}.example` })) }],
  ['the largest weight', targets({ url: 'http://a.example', weight: 1000 })],
])('accepts %s', (_, change) => {
  expect(problems({ ...FIELDS, ...change })).toEqual([]);
});

describe('refuses, naming the field', () => {
  it.each<[field: string, changes: object[]]>([
    ['name', ['', ' ', 'n'.repeat(201), 7, null, undefined].map((name) => ({ name }))],
    [
      'targets',
      [
        [],
        {},
        'http://a.example',
        null,
        undefined,
        Array.from({ length: 65 }, () => ({ url: 'http://a.example' })),
      ].map((list) => ({ targets: list })),
    ],
    [
      'targets.1',
      ['http://a.example', null, 7, []].map((target) => targets({ url: 'http://a.example' }, target)),
    ],
    [
      'targets.0.url',
      [
        '', 'a.example', '/x', 'ftp://a.example', 'file:///etc/passwd', 'http://u:p@a.example', 'http://a.example?x',
        'http://a.example/?x=1', 'http://a.example/#x', 7, null, undefined, ['http://a.example'],
      ].map((url) => targets({ url })),
    ], // prettier-ignore
    [
      'targets.0.weight',
      [0, -1, 1.5, 1001, NaN, Infinity, '1', null].map((weight) =>
        targets({ url: 'http://a.example', weight }),
      ),
    ],
    ['targets.0.wieght', [targets({ url: 'http://a.example', wieght: 2 })]],
    ['timeouts', [30, null, []].map((timeouts) => ({ timeouts }))],
    ['timeouts.totalMs', [0, -1, '5', 86_400_001].map((totalMs) => ({ timeouts: { totalMs } }))],
    ['rateLimit', [10, null].map((rateLimit) => ({ rateLimit }))],
    [
      'rateLimit.maxRequests',
      [0, -1, 1.5, null].map((maxRequests) => ({ rateLimit: { maxRequests, windowSeconds: 1 } })),
    ],
    ['auth.jwt', [{}, true, { jwt: 1 }, null].map((auth) => ({ auth }))],
    ['id', [{ id: '1' }]],
    ['tenantId', [{ tenantId: 'other' }]],
    ['upstreamBaseUrl', [{ upstreamBaseUrl: 'http://a.example' }]],
  ])('%s', (field, changes) => {
    const refused = changes.map((change) => [change, problems({ ...FIELDS, ...change })]);
    expect(refused).toEqual(changes.map((change) => [change, [field]]));
  });

  it('addresses that the policy does not permit, where it is asked', () => {
    const inside = { ...FIELDS, ...targets({ url: 'http://a.example' }, { url: 'http://127.0.0.1:9' }) };
    expect(problems(inside, new AddressPolicy(false))).toEqual(['targets.1.url']);
    expect(problems(inside, new AddressPolicy(true))).toEqual([]);
    const metadata = { ...FIELDS, ...targets({ url: 'http://[::ffff:169.254.169.254]/' }) };
    expect(problems(metadata, new AddressPolicy(true))).toEqual(['targets.0.url']);
    expect(problems(metadata)).toEqual([]);
  });

  it('a JWT that nobody could have signed', () => {
    expect(problems(FIELDS, undefined, [])).toEqual(['auth.jwt']);
    expect(problems({ ...FIELDS, auth: { jwt: false } }, undefined, [])).toEqual([]);
  });

  it('what is no document', () => {
    expect([null, undefined, 7, 'x', []].map((document) => problems(document))).toEqual(Array(5).fill(['']));
  });
});

describe('a stored service', () => {
  const STORED = { id: '7', tenantId: 'acme', createdAt: '2026-01-01T00:00:00.000Z', ...FIELDS };

  it('has the id that it lies under, and keeps what a later version may have added', () => {
    const { service } = parseService('8', JSON.stringify({ ...STORED, color: 'blue' }));
    expect(service).toEqual({ ...STORED, id: '8', color: 'blue' });
  });

  it.each([
    ['', ['']],
    ['{', ['']],
    ['[]', ['']],
    ['null', ['']],
    [JSON.stringify({ ...STORED, targets: [] }), ['targets']],
    [JSON.stringify({ ...STORED, tenantId: undefined }), ['tenantId']],
    [JSON.stringify({ ...STORED, targets: [{ url: 'x' }] }), ['targets.0.url']],
  ])('is not made of %j', (text, fields) => {
    const { service, problems: found } = parseService('7', text);
    expect(service).toBeUndefined();
    expect(found?.map(({ field }) => field)).toEqual(fields);
  });
});
