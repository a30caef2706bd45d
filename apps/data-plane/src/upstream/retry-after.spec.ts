import { retryAfterMs } from './retry-after';

const NOW = Date.parse('2026-01-01T00:00:00Z');

it.each<[value: string, ms: number | undefined]>([
  ['0', 0],
  ['2', 2000],
  [' 120 ', 120_000],
  ['Thu, 01 Jan 2026 00:00:05 GMT', 5000],
  ['Thu, 01 Jan 2026 00:00:00 GMT', 0],
  ['Wed, 31 Dec 2025 23:59:59 GMT', 0],
  ['-1', undefined],
  ['1.5', undefined],
  ['2027', 2_027_000],
  ['2027-01-01', undefined],
  ['soon', undefined],
  ['Thu, soon GMT', undefined],
  ['', undefined],
])('%j means %p', (value, ms) => {
  const raw = ['Content-Type', 'x', 'retry-AFTER', value].map((text) => Buffer.from(text));
  expect(retryAfterMs(raw, NOW)).toBe(ms);
});

it('means nothing where it is not said', () => {
  expect(retryAfterMs([Buffer.from('X-Retry-Aft'), Buffer.from('5')], NOW)).toBeUndefined();
});
