import { SeriesIndex, definitionOf, parseDefinition, type SeriesIdentity } from './series';

const MINUTE = 60_000;
const identity = (change: Partial<SeriesIdentity> = {}): SeriesIdentity => ({
  tenantId: 'acme',
  serviceId: '',
  keyId: 'k1',
  route: '/orders/{id}',
  priceNano: 1_000_000,
  planVersion: 'v1',
  ...change,
});

function setUp() {
  const clock = { now: 0 };
  return { clock, index: new SeriesIndex(() => clock.now) };
}

it('finds the same series for the same identity, and another for every other', () => {
  const { index } = setUp();
  const series = index.find(identity());
  expect(index.find(identity())).toBe(series);
  const others = [
    { tenantId: 'other' },
    { serviceId: '7' },
    { keyId: 'k2' },
    { route: '/' },
    { priceNano: 0 },
    { planVersion: '' },
    // The fields are kept apart.
    { keyId: 'k1","/orders/{id}' },
  ].map((change) => index.find(identity(change)));
  expect(new Set([series, ...others]).size).toBe(others.length + 1);
});

it('remembers a series that is asked for, and forgets one that is not within ten minutes', () => {
  const { clock, index } = setUp();
  const used = index.find(identity());
  const unused = index.find(identity({ keyId: 'k2' }));
  for (let minute = 1; minute <= 11; minute++) {
    clock.now = minute * MINUTE;
    index.forget();
    expect(index.find(identity())).toBe(used);
  }
  expect(index.size).toBe(2);
  expect(index.find(identity({ keyId: 'k2' }))).not.toBe(unused);
});

it('is bounded whatever it is asked for', () => {
  const { index } = setUp();
  for (let i = 0; i < 250_000; i++) index.find(identity({ keyId: `k${i}` }));
  expect(index.size).toBeLessThanOrEqual(100_000);
});

it.each([-1, 0.5, NaN, Infinity, 2 ** 53, '5' as unknown as number])('takes no price of %p', (priceNano) => {
  const { index } = setUp();
  expect(() => index.find(identity({ priceNano }))).toThrow(RangeError);
});

it.each([
  identity(),
  identity({ keyId: '"\\\n|%', route: 'é💶\ud800' }),
  identity({ priceNano: Number.MAX_SAFE_INTEGER }),
])('is read back from its definition, one line (%#)', (one) => {
  const definition = definitionOf(one);
  expect(definition).not.toContain('\n');
  expect(parseDefinition(definition)).toEqual(one);
});

it.each([
  '',
  '[]',
  '{}',
  'null',
  '["a","b","c","d",1]',
  '["a","b","c","d",1,"e","f"]',
  '["a","b","c","d","1","e"]',
])('reads no identity from %s', (text) => {
  expect(parseDefinition(text)).toBeUndefined();
});
