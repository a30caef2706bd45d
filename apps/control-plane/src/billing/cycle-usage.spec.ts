import { cycle } from '#libs/usage';
import type { BillingAccount } from './billing-account';
import { rateCycle, usageOf } from './cycle-usage';

const account = (plans: Record<string, object> = {}): BillingAccount => ({
  currency: 'EUR',
  pricePerRequest: '0.001',
  cycle: 1,
  openedAt: '2030-01-01T00:00:00.000Z',
  planVersion: Object.keys(plans).at(-1) ?? '',
  plans,
  statementSeries: 'series',
  assignedPlans: 0,
});
const plan = (id: string, terms: object): object => ({ id, name: id, currency: 'EUR', ...terms });
const FLAT = plan('flat', { model: 'flat', fee: '10' });
const EACH = plan('each', { model: 'per_request', price: '2' });

/** The table that requests leave: version, key, units, cost. */
const table = (...used: Array<[string, string, bigint, bigint]>): Map<string, bigint> =>
  new Map(
    used.flatMap(([version, key, units, cost]) => [
      [cycle.units(version, key), units],
      [cycle.cost(version, key), cost],
      [cycle.access(key), units],
    ]),
  );

describe('usageOf', () => {
  it('reads back what was added, whatever keys and versions are called', () => {
    const { lines, accessed, units } = usageOf(table(['', 'a|b%', 3n, 30n], ['p|q@1', 'units', 4n, 40n]));
    expect(lines).toEqual(
      new Map([
        ['', [{ keyId: 'a|b%', units: 3n, cost: 30n }]],
        ['p|q@1', [{ keyId: 'units', units: 4n, cost: 40n }]],
      ]),
    );
    expect(accessed).toEqual([
      { keyId: 'a|b%', units: 3n },
      { keyId: 'units', units: 4n },
    ]);
    expect(units).toBe(7n);
  });

  it.each(['units', 'a|b|c|units', 'a|b|price', ''])(
    'makes no bill of a table with the field %j',
    (field) => {
      expect(() => usageOf(new Map([[field, 1n]]))).toThrow(/not a field/);
    },
  );
});

describe('rateCycle', () => {
  it.each<[string, BillingAccount, Map<string, bigint>, bigint]>([
    ['nothing without a plan', account(), table(), 0n],
    ['what keys cost without a plan', account(), table(['', 'k', 3n, 42n]), 42n],
    ['the fee of a plan that was never used', account({ 'flat@1': FLAT }), table(), 10_000_000_000n],
    ['each part of a cycle by its plan', account({ 'each@1': EACH }), table(['', 'k', 3n, 42n], ['each@1', 'k', 1n, 9n]), 2_000_000_042n],
    ['a late count by the first plan of the cycle', account({ 'each@2': EACH, 'flat@3': FLAT }), table(['flat@1', 'k', 2n, 9n]), 14_000_000_000n],
    ['a late count by what it cost where no plan is left', account(), table(['flat@1', 'k', 2n, 9n]), 9n],
  ])('charges %s', (_title, terms, used, total) => {
    expect(rateCycle(terms, usageOf(used))).toMatchObject({ total, currency: 'EUR' });
  }); // prettier-ignore

  it('makes no bill by a plan that cannot be read', () => {
    const broken = account({ 'flat@1': { ...FLAT, fee: 'much' } });
    expect(() => rateCycle(broken, usageOf(table()))).toThrow(/flat@1 is broken/);
  });
});
