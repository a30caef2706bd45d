import { randomNumbers } from '../../../test/support/tricky-paths';
import { sum } from './apportion';
import { MAX_PRICE } from './money';
import { checkPlan, type Plan } from './plan';
import { rate, rateSegments, type RatedCycle, type UsageLine } from './rating';

const MILLI = 1_000_000n;
const random = randomNumbers(7);
const below = (limit: number): number => Math.floor(random() * limit);

function planOf(terms: object): Plan {
  const { plan, problems } = checkPlan({ id: 'gold', name: 'Gold', currency: 'EUR', ...terms });
  if (!plan) throw new Error(JSON.stringify(problems));
  return plan;
}

const FLAT = planOf({ model: 'flat', fee: 49 });
const OWN_PRICES = planOf({ model: 'per_request' });
const PRICED = planOf({ model: 'per_request', price: 0.002 });
const TIERED = planOf({
  model: 'tiered',
  tiers: [
    { upTo: 10, price: 0.003 },
    { upTo: 100, price: 0.002 },
    { upTo: null, price: 0.001 },
  ],
});
const INCLUDED = planOf({ model: 'included', fee: 10, includedRequests: 100, overagePrice: 0.005 });

const line = (keyId: string, units: number, cost = 0n): UsageLine => ({ keyId, units: BigInt(units), cost });
const costs = ({ lines }: RatedCycle): Record<string, bigint> =>
  Object.fromEntries(lines.map(({ keyId, cost }) => [keyId, cost]));
const unitsOf = (lines: readonly { units: bigint }[]): bigint => sum(lines.map(({ units }) => units));
const expectToAddUp = ({ lines, fees, total }: RatedCycle): void =>
  expect(sum([...lines.map(({ cost }) => cost), ...fees.map(({ amount }) => amount)])).toBe(total);

describe('one plan', () => {
  it.each<[title: string, plan: Plan, units: number, usage: bigint, ...fees: bigint[]]>([
    ['flat: requests are free', FLAT, 1_000_000, 0n, 49_000n * MILLI],
    ['flat: the fee is owed without requests', FLAT, 0, 0n, 49_000n * MILLI],
    ['per request', PRICED, 7, 14n * MILLI],
    ['tiered: nothing used', TIERED, 0, 0n],
    ['tiered: within the first', TIERED, 9, 27n * MILLI],
    ['tiered: up to and including the end of the first', TIERED, 10, 30n * MILLI],
    ['tiered: one into the second', TIERED, 11, 32n * MILLI],
    ['tiered: the end of the second', TIERED, 100, 210n * MILLI],
    ['tiered: one into the last', TIERED, 101, 211n * MILLI],
    ['included: all used', INCLUDED, 100, 0n, 10_000n * MILLI],
    ['included: one more', INCLUDED, 101, 5n * MILLI, 10_000n * MILLI],
    ['included: not all used, and nothing given back', INCLUDED, 1, 0n, 10_000n * MILLI],
  ])('%s', (_, plan, units, usage, ...fees) => {
    // Whatever was accumulated live is of no account here.
    const rated = rate(plan, [line('a', units, 12_345n)]);
    expect(costs(rated)).toEqual({ a: usage });
    expect(rated.fees).toEqual(fees.map((amount) => ({ planId: 'gold', amount })));
    expect(rated.total).toBe(usage + sum(fees));
    expect(rated.currency).toBe('EUR');
  });

  it('takes what was accumulated where each key has its own price', () => {
    const rated = rate(OWN_PRICES, [line('a', 3, 3n * MILLI), line('b', 10, 1n)]);
    expect(costs(rated)).toEqual({ a: 3n * MILLI, b: 1n });
    expectToAddUp(rated);
    expect(rated.lines.map((of) => 'unitPrice' in of)).toEqual([false, false]);
  });

  it('names the price where the plan has one for all', () => {
    expect(rate(PRICED, [line('a', 3)]).lines).toEqual([
      { keyId: 'a', units: 3n, cost: 6n * MILLI, unitPrice: 2n * MILLI },
    ]);
  });

  it('does not mind the order of the lines, nor a key in several', () => {
    const lines = [line('c', 1), line('a', 2), line('b', 1), line('a', 1), line('B', 2)];
    // One nano-unit for all: it goes to the key with the most requests, not to the line.
    const plan = planOf({ model: 'included', fee: 0, includedRequests: 6, overagePrice: 1e-9 });
    for (const inOrder of [lines, [...lines].reverse()]) {
      const rated = rate(plan, inOrder).lines.map(({ keyId, units, cost }) => `${keyId} ${units} ${cost}`);
      expect(rated).toEqual(['B 2 0', 'a 3 1', 'b 1 0', 'c 1 0']);
    }
  });

  it('is exact far beyond what a double holds', () => {
    const dearest = planOf({ model: 'per_request', price: 1_000_000 });
    expect(rate(dearest, [line('a', Number.MAX_SAFE_INTEGER)]).total).toBe(MAX_PRICE * (2n ** 53n - 1n));
  });

  it.each([line('a', -1), line('a', 1, -1n)])('does not rate negative lines', (negative) => {
    expect(() => rate(OWN_PRICES, [line('a', 5, 5n), negative])).toThrow('key a has a negative line');
  });
});

it('costs in tiers what counting request by request gives', () => {
  for (let round = 0; round < 300; round++) {
    const ends = [...new Set(Array.from({ length: below(5) }, () => 1 + below(400)))].sort((a, b) => a - b);
    const tiers = [...ends, null].map((upTo) => ({ upTo, price: below(1000) / 1e9 }));
    const lines = Array.from({ length: 1 + below(6) }, (_, i) => line(`k${i}`, below(150)));
    const plan = planOf({ model: 'tiered', tiers });
    const units = Number(unitsOf(lines));
    let naive = 0;
    for (let request = 1; request <= units; request++) {
      naive += Math.round(tiers.find(({ upTo }) => upTo === null || request <= upTo)!.price * 1e9);
    }
    const rated = rate(plan, lines);
    expect([tiers, units, rated.total]).toEqual([tiers, units, BigInt(naive)]);
    expectToAddUp(rated);
  }
});

describe('a change of plan in mid-cycle', () => {
  const silver = planOf({ id: 'silver', model: 'flat', fee: 20 });
  const dearer = planOf({ model: 'included', fee: 30, includedRequests: 10, overagePrice: 0.01 });

  it('rates each segment by its own plan and adds up by key', () => {
    const rated = rateSegments([
      { plan: OWN_PRICES, lines: [line('a', 5, 7n), line('b', 1, 1n)] },
      { plan: PRICED, lines: [line('c', 1), line('a', 2)] },
    ]);
    expect(rated).toEqual({
      currency: 'EUR',
      lines: [
        { keyId: 'a', units: 7n, cost: 7n + 4n * MILLI },
        { keyId: 'b', units: 1n, cost: 1n },
        { keyId: 'c', units: 1n, cost: 2n * MILLI, unitPrice: 2n * MILLI },
      ],
      fees: [],
      total: 8n + 6n * MILLI,
    });
  });

  it('starts tiers and included requests anew for other terms', () => {
    const { lines } = rateSegments([
      { plan: INCLUDED, lines: [line('a', 101)] },
      { plan: dearer, lines: [line('a', 11)] },
      { plan: TIERED, lines: [line('a', 11)] },
    ]);
    expect(lines).toStrictEqual([{ keyId: 'a', units: 123n, cost: (5n + 10n + 32n) * MILLI }]);
  });

  it.each<[title: string, again: Plan]>([
    ['that comes back', INCLUDED],
    ['that is read anew', planOf({ overagePrice: '0.0050', includedRequests: 100, fee: '10', model: 'included' })],
    ['under a new name', { ...INCLUDED, name: 'Gold 2' }],
    ['that bills other requests', { ...INCLUDED, billsCacheHits: true }],
  ])('grants nothing twice to a plan %s', (_, again) => {
    const rated = rateSegments([
      { plan: INCLUDED, lines: [line('a', 60)] },
      { plan: silver, lines: [line('a', 1000)] },
      { plan: again, lines: [line('b', 60)] },
    ]);
    // 120 requests, of which 100 were included; by halves.
    expect(costs(rated)).toEqual({ a: 50n * MILLI, b: 50n * MILLI });
  }); // prettier-ignore

  it('charges the fee of a plan once, as it was first, and that of each plan', () => {
    const { fees, total } = rateSegments([
      { plan: INCLUDED, lines: [] },
      { plan: silver, lines: [] },
      { plan: dearer, lines: [] },
      { plan: silver, lines: [] },
      { plan: TIERED, lines: [] },
    ]);
    expect(fees).toEqual([
      { planId: 'gold', amount: 10_000n * MILLI },
      { planId: 'silver', amount: 20_000n * MILLI },
    ]);
    expect(total).toBe(30_000n * MILLI);
  });

  it('names a price only where it held for all requests of a key', () => {
    const other = planOf({ id: 'other', model: 'per_request', price: 0.002 });
    const dear = planOf({ model: 'per_request', price: 1 });
    const prices = [other, OWN_PRICES, dear, FLAT].map((plan) => {
      const lines = [line('a', 1, 2n * MILLI)];
      return rateSegments([PRICED, plan].map((of) => ({ plan: of, lines }))).lines[0]!.unitPrice;
    });
    expect(prices).toEqual([2n * MILLI, undefined, undefined, undefined]);
  });

  it('adds up for random cycles', () => {
    const plans = [FLAT, OWN_PRICES, PRICED, TIERED, INCLUDED, silver, dearer];
    for (let round = 0; round < 500; round++) {
      const segments = Array.from({ length: 1 + below(5) }, () => ({
        plan: plans[below(plans.length)]!,
        lines: Array.from({ length: below(8) }, () => line(`k${below(10)}`, below(300), BigInt(below(1e9)))),
      }));
      const rated = rateSegments(segments);
      expectToAddUp(rated);
      const used = segments.flatMap(({ lines }) => lines);
      expect(unitsOf(rated.lines)).toBe(unitsOf(used));
    }
  });

  it('needs a plan, and one currency', () => {
    expect(() => rateSegments([])).toThrow('a cycle needs a plan');
    const dollars = planOf({ model: 'flat', fee: 49, currency: 'USD' });
    const mixed = [FLAT, dollars].map((plan) => ({ plan, lines: [] }));
    expect(() => rateSegments(mixed)).toThrow('a cycle has one currency');
  });
});
