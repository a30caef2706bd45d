import { Registry } from 'prom-client';
import { watchKeySets } from './identity-metrics';

it('keeps the number of issuers bounded, and shows the oldest of the rest', async () => {
  const registry = new Registry();
  let ages = Array.from({ length: 500 }, (_unused, i) => ({ issuer: `https://${i}.test`, ageMs: i * 1000 }));
  watchKeySets(registry, { keySetAges: () => ages });
  const text = await registry.metrics();
  const lines = text.split('\n').filter((line) => line.startsWith('jwks_age_seconds{'));
  expect(lines).toHaveLength(101);
  expect(lines).toContain('jwks_age_seconds{issuer="https://99.test"} 99');
  expect(lines).toContain('jwks_age_seconds{issuer="other"} 499');

  // What is not in use any more is not shown, and of several sets of one issuer the oldest is.
  ages = [3000, 5000, 4000].map((ageMs) => ({ issuer: 'https://a.test', ageMs }));
  expect((await registry.metrics()).match(/^jwks_age_seconds\{.*$/gm)).toEqual([
    'jwks_age_seconds{issuer="https://a.test"} 5',
  ]);
});
