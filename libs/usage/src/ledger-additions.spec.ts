import { SeriesSums } from './journal/series-sums';
import { additionsOf } from './ledger-additions';
import type { SeriesIdentity } from './series';

/** 2026-01-31T09:00:00Z */
const HOUR = Date.UTC(2026, 0, 31, 9) / 3_600_000;

function sums(change: Partial<SeriesIdentity> = {}): SeriesSums {
  return new SeriesSums({
    tenantId: 'acme',
    serviceId: '',
    keyId: 'k1',
    route: '/a',
    priceNano: 1000,
    planVersion: 'v1',
    ...change,
  });
}

it('adds a request to its hour, to the totals and to the open cycle', () => {
  const api = sums();
  api.count(HOUR, 2, 10, 100, true);
  api.count(HOUR, 4, 1, 2, true);
  expect(additionsOf([api])).toEqual({
    additions: [
      ['day:2026-01-31:-', '09|k1|/a|2|n', 1],
      ['day:2026-01-31:-', '09|k1|/a|2|i', 10],
      ['day:2026-01-31:-', '09|k1|/a|2|o', 100],
      ['day:2026-01-31:-', '09|k1|/a|2|b', 1],
      ['day:2026-01-31:-', '09|k1|/a|4|n', 1],
      ['day:2026-01-31:-', '09|k1|/a|4|i', 1],
      ['day:2026-01-31:-', '09|k1|/a|4|o', 2],
      ['totals', 'requests', 2],
      ['totals', 'k|k1|billed', 1],
      ['totals', 'k|k1|cost', 1000],
    ],
    cycleAdditions: [
      ['v1|k1|units', 1],
      ['v1|k1|cost', 1000],
      ['access|k1|n', 1],
    ],
    lifetimes: new Map([['day:2026-01-31:-', 401 * 86_400_000]]),
  });
});

it('adds the requests of a service to it, the successful ones by key as well', () => {
  const service = sums({ serviceId: '7', route: '', priceNano: 0, planVersion: '' });
  service.count(HOUR, 2, 0, 0, true);
  service.count(HOUR, 3, 0, 0, false);
  service.count(HOUR, 5, 0, 0, true);
  const { additions, cycleAdditions, lifetimes } = additionsOf([service]);
  expect(additions.filter(([table]) => table === 'totals')).toEqual([
    ['totals', 'requests', 3],
    ['totals', 's|7|a', 3],
    ['totals', 's|7|n', 2],
    ['totals', 's|7|k|k1|n', 2],
    ['totals', 'k|k1|billed', 1],
  ]);
  expect(cycleAdditions).toEqual([
    ['|k1|units', 1],
    ['access|k1|n', 1],
  ]);
  expect(lifetimes).toEqual(new Map([['day:2026-01-31:7', 401 * 86_400_000]]));
});

it('names every field once, whatever prices, plans and hours it came under', () => {
  const before = sums();
  const dearer = sums({ priceNano: 5000 });
  const later = sums({ priceNano: 5000, planVersion: 'v2' });
  before.count(HOUR, 2, 0, 0, true);
  dearer.count(HOUR, 2, 0, 0, true);
  later.count(HOUR + 15, 2, 0, 0, true);
  const { additions, cycleAdditions } = additionsOf([before, dearer, later]);
  expect(additions).toEqual([
    ['day:2026-01-31:-', '09|k1|/a|2|n', 2],
    ['day:2026-01-31:-', '09|k1|/a|2|b', 2],
    ['totals', 'requests', 3],
    ['totals', 'k|k1|billed', 3],
    ['totals', 'k|k1|cost', 11_000],
    ['day:2026-02-01:-', '00|k1|/a|2|n', 1],
    ['day:2026-02-01:-', '00|k1|/a|2|b', 1],
  ]);
  expect(cycleAdditions).toEqual([
    ['v1|k1|units', 2],
    ['v1|k1|cost', 6000],
    ['access|k1|n', 3],
    ['v2|k1|units', 1],
    ['v2|k1|cost', 5000],
  ]);
});

it('takes the count made at the responses where there is one, however it differs from the units', () => {
  const differing = sums();
  differing.count(HOUR, 2, 0, 0, true);
  differing.responses = 3;
  expect(additionsOf([differing]).cycleAdditions).toContainEqual(['access|k1|n', 3]);
  expect(additionsOf([differing]).cycleAdditions).toContainEqual(['v1|k1|units', 1]);
});

it('adds an amount beyond 53 bits in several steps, and exactly', () => {
  const dear = sums({ priceNano: Number.MAX_SAFE_INTEGER - 1 });
  for (let i = 0; i < 3; i++) dear.count(HOUR, 2, 0, 0, true);
  const costs = additionsOf([dear, dear]).cycleAdditions.filter(([field]) => field === 'v1|k1|cost');
  expect(costs.every(([, amount]) => Number.isSafeInteger(amount))).toBe(true);
  expect(costs.reduce((sum, [, amount]) => sum + BigInt(amount), 0n)).toBe(
    6n * BigInt(Number.MAX_SAFE_INTEGER - 1),
  );
});
