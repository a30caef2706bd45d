import { parseCacheControl } from './cache-control';
import { standsIn, usability, type Usability } from './freshness';
import { storedResponse } from '../../../test/support/stored-response';

const S = 1000;

describe('what may be done with a response that is fresh for 60 s', () => {
  const rows: Array<[age: number, asked: string, terms: object, use: Usability, standsIn: boolean]> = [
    [59, '', {}, 'fresh', true],
    [59, 'no-cache', {}, 'validate', false],
    [59, 'max-age=58', {}, 'validate', false],
    [59, 'max-age=59', {}, 'fresh', true],
    [50, 'min-fresh=11', {}, 'validate', false],
    [50, 'min-fresh=10', {}, 'fresh', true],
    [60, '', {}, 'behind', true],
    [69, '', {}, 'behind', true],
    [70, '', {}, 'validate', true],
    [79, '', {}, 'validate', true],
    [80, '', {}, 'validate', false],
    [80, 'stale-if-error=30', {}, 'validate', true],
    [80, 'max-stale=20', {}, 'allowed', false],
    [80, 'max-stale=19', {}, 'validate', false],
    [80, 'max-stale', {}, 'allowed', false],
    [61, '', { mayBeStale: false }, 'validate', false],
    [61, 'max-stale', { mayBeStale: false }, 'validate', false],
    [5, '', { validatesAlways: true }, 'validate', true],
  ];
  it.each(rows)('at %s s, asked with %j, %j: %s', (age, asked, terms, use, standing) => {
    const stored = storedResponse({
      terms: { lifetimeMs: 60 * S, staleWhileRevalidateMs: 10 * S, staleIfErrorMs: 20 * S, ...terms },
    });
    const directives = asked === '' ? undefined : parseCacheControl(asked);
    expect(usability(stored, age * S, directives)).toBe(use);
    expect(standsIn(stored, age * S, directives)).toBe(standing);
  });
});

it('counts its age from when it came, with the age that it had', () => {
  const stored = storedResponse({ storedAt: 5000, terms: { initialAgeMs: 2000 } });
  expect([stored.age(9000), stored.age(1000)]).toEqual([6000, 2000]);
});
