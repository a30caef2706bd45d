import { storedResponse } from '../../../test/support/stored-response';
import type { CacheKey } from './cache-key';
import { MemoryTier } from './memory-tier';

const key = (name: string, uri = name): CacheKey => ({ uri, target: uri, primary: name });
const body = 'x'.repeat(10_000);

it('a tenant that stores without end makes room at its own expense', () => {
  const tier = new MemoryTier(1_000_000);
  for (let i = 0; i < 20; i++) tier.put('quiet', key(`q${i}`), [], storedResponse({ body }));
  for (let i = 0; i < 1000; i++) tier.put('greedy', key(`g${i}`), [], storedResponse({ body }));
  expect(tier.shelf('quiet').entries).toBe(20);
  expect(tier.bytes).toBeLessThanOrEqual(1_000_000);
  expect(tier.bytes).toBeGreaterThan(900_000);
  expect(tier.evictions + tier.entries).toBe(1020);
});

it('what is asked for stays, what is not goes first', () => {
  const tier = new MemoryTier(500_000);
  const shelf = tier.shelf('a');
  for (let i = 0; i < 500; i++) {
    tier.put('a', key(`k${i}`), [], storedResponse({ body }));
    shelf.find(key('k0'), []);
  }
  expect(shelf.find(key('k0'), [])).toMatchObject({ body });
  expect(shelf.find(key('k1'), [])).toBe('uri-miss');
});

it('counts no byte too many or too few, whatever comes and goes', () => {
  const tier = new MemoryTier(10_000_000);
  const shelf = tier.shelf('a');
  for (let i = 0; i < 100; i++) {
    const terms = { vary: i % 2 === 0 ? ['accept'] : ['accept', 'x-a'] };
    tier.put('a', key(`k${i % 7}`, `u${i % 3}`), ['Accept', String(i % 5)], storedResponse({ body, terms }));
  }
  expect(shelf.entries).toBeGreaterThan(7);
  for (const uri of ['u0', 'u1', 'u2']) shelf.invalidate(uri);
  expect([shelf.entries, shelf.bytes]).toEqual([0, 0]);
});

it('has a bounded number of variants, and takes nothing that is too large', () => {
  const tier = new MemoryTier(1_000_000);
  for (let i = 0; i < 500; i++)
    tier.put('a', key('k'), ['User-Agent', String(i)], storedResponse({ terms: { vary: ['user-agent'] } }));
  expect(tier.shelf('a').entries).toBe(64);
  expect(tier.put('a', key('large'), [], storedResponse({ body: 'x'.repeat(200_000) }))).toBe(false);
});

it('knows whether what is on its way was invalidated meanwhile', () => {
  const shelf = new MemoryTier(1000).shelf('a');
  const before = shelf.moment;
  expect(shelf.isVoid(before, 'u')).toBe(false);
  shelf.invalidate('u');
  expect([shelf.isVoid(before, 'u'), shelf.isVoid(before, 'v'), shelf.isVoid(shelf.moment, 'u')]).toEqual([
    true,
    false,
    false,
  ]);
  for (let i = 0; i < 300; i++) shelf.invalidate(`w${i}`);
  expect(shelf.isVoid(before, 'v')).toBe(true);
});
