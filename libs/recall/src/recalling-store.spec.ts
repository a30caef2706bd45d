import { isRecent } from './recalling-store';

const HOUR_MS = 3_600_000;
const NOW = Date.parse('2030-01-01T00:00:00Z');

it.each([
  ['just now', NOW, true],
  ['a moment before the bound', NOW - HOUR_MS + 1, true],
  ['at the bound', NOW - HOUR_MS, false],
  ['a little ahead of a clock that was put right', NOW + 10_000, true],
  ['from a time to come: a machine that has woken up in 1970', NOW + 24 * HOUR_MS, false],
  ['at no time', NaN, false],
])('what was current %s is served: %s', (_, vouchedAt, served) => {
  expect(isRecent(vouchedAt, HOUR_MS, NOW)).toBe(served);
});
