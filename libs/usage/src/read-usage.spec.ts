import { GatewayError } from '#libs/errors';
import { openLedgers, type TestStore } from '../../../test/usage/stage';
import { SeriesSums } from './journal/series-sums';
import { additionsOf } from './ledger-additions';
import { readUsage, type UsageGroup, type UsageQuery, type UsageRow } from './read-usage';
import type { StatusClass } from './usage-tables';

const HOUR_MS = 3_600_000;
const at = (time: string): number => Date.parse(`2026-${time}:00:00Z`) / HOUR_MS;
let store: TestStore;

/** service, key, route, hour, class, requests: each of 10 bytes in and 100 out, billed if successful. */
const USED: Array<[string, string, string, string, StatusClass, number]> = [
  ['', 'k1', '/a', '01-30T23', 2, 1],
  ['', 'k1', '/a', '01-31T00', 2, 2],
  ['', 'k2', '/a|b', '01-31T00', 4, 4],
  ['7', 'k1', '', '01-31T10', 2, 8],
  ['7', 'k3', '', '02-01T00', 5, 16],
  ['-', 'k3', '', '02-01T01', 3, 32],
];

beforeAll(async () => {
  store = openLedgers();
  for (const [i, [serviceId, keyId, route, hour, status, count]] of USED.entries()) {
    const sums = new SeriesSums({ tenantId: 'acme', serviceId, keyId, route, priceNano: 0, planVersion: '' });
    for (let n = 0; n < count; n++) sums.count(at(hour), status, 10, 100, true);
    await store.ledgers.apply('acme', { source: 's', seq: i + 1, after: i, ...additionsOf([sums]) });
  }
});
afterAll(() => store.close());

const read = (query: Partial<UsageQuery>): Promise<UsageRow[]> =>
  readUsage(store, 'acme', { from: '2026-01-01', to: '2026-03-01', ...query });

it('adds up everything in one row', async () => {
  expect(await read({})).toEqual([{ requests: 63, bytesIn: 630, bytesOut: 6300, billed: 43 }]);
});

it.each<[UsageGroup[], Array<[string, number]>]>([
  [
    ['service'],
    [
      ['', 7],
      ['-', 32],
      ['7', 24],
    ],
  ],
  [
    ['key'],
    [
      ['k1', 11],
      ['k2', 4],
      ['k3', 48],
    ],
  ],
  [
    ['route'],
    [
      ['', 56],
      ['/a', 3],
      ['/a|b', 4],
    ],
  ],
  [
    ['status'],
    [
      ['2xx', 11],
      ['3xx', 32],
      ['4xx', 4],
      ['5xx', 16],
    ],
  ],
  [
    ['day'],
    [
      ['2026-01-30', 1],
      ['2026-01-31', 14],
      ['2026-02-01', 48],
    ],
  ],
  [
    ['hour'],
    [
      ['2026-01-30T23:00:00Z', 1],
      ['2026-01-31T00:00:00Z', 6],
      ['2026-01-31T10:00:00Z', 8],
      ['2026-02-01T00:00:00Z', 16],
      ['2026-02-01T01:00:00Z', 32],
    ],
  ],
  [
    ['key', 'status'],
    [
      ['k1 2xx', 11],
      ['k2 4xx', 4],
      ['k3 3xx', 32],
      ['k3 5xx', 16],
    ],
  ],
])('groups by %j, sorted', async (groupBy, expected) => {
  const rows = await read({ groupBy });
  expect(rows.map((row) => [groupBy.map((group) => row[group]).join(' '), row.requests])).toEqual(expected);
});

it.each<[string, Partial<UsageQuery>, number]>([
  ['a service', { serviceId: '7' }, 24],
  ['the own upstream', { serviceId: '' }, 7],
  ['a key', { keyId: 'k1' }, 11],
  ['a key of a service', { keyId: 'k3', serviceId: '7' }, 16],
  ['a day', { from: '2026-01-31', to: '2026-02-01' }, 14],
  ['an hour', { from: '2026-01-31T10:00Z', to: '2026-01-31T11:00Z' }, 8],
  [
    'the hours that the instants are in',
    { from: '2026-01-31T00:59:59.999Z', to: '2026-01-31T10:00:00.001Z' },
    14,
  ],
  ['hours of another zone', { from: '2026-01-31T01:00+01:00', to: '2026-01-31T02:00+01:00' }, 6],
])('takes %s by itself', async (_what, query, expected) => {
  const rows = await read(query);
  expect(rows.reduce((sum, { requests }) => sum + requests, 0)).toBe(expected);
});

it('has no row where there is nothing', async () => {
  expect(await read({ keyId: 'k9' })).toEqual([]);
  expect(await readUsage(store, 'nobody', { from: '2026-01-01', to: '2026-02-01' })).toEqual([]);
});

it.each<[Partial<UsageQuery>, string[]]>([
  [{ from: 'yesterday' }, ['from']],
  [{ from: '2026-02-30' }, ['from']],
  [{ from: '2026-01-31T10:00' }, ['from']],
  [{ from: '', to: '2026' }, ['from', 'to']],
  [{ to: '2026-01-31T25:00Z' }, ['to']],
  [{ from: '2026-03-01', to: '2026-01-01' }, ['to']],
  [{ from: '2026-01-01', to: '2026-01-01' }, ['to']],
  [{ from: '2024-01-01', to: '2026-01-01' }, ['to']],
  [{ groupBy: ['key', 'tenant' as 'key'] }, ['groupBy']],
])('refuses %j and names what is wrong', async (query, fields) => {
  const refusal = await read(query).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(GatewayError);
  expect((refusal as GatewayError).code).toBe('validation_failed');
  expect((refusal as GatewayError).fields?.map(({ field }) => field)).toEqual(fields);
});

it('takes four hundred days', async () => {
  expect(await read({ from: '2025-01-25', to: '2026-03-01' })).toHaveLength(1);
});
