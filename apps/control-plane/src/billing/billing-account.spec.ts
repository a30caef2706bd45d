import type { Plan } from '#libs/billing';
import { GatewayError } from '#libs/errors';
import { DEFAULT_BILLING } from '#libs/tenants';
import { planIdOf, statementId, withNextCycle, withTerms, type BillingAccount } from './billing-account';

const NEW: BillingAccount = { ...DEFAULT_BILLING, statementSeries: 'abc', assignedPlans: 0 };
const FLAT: Plan = { id: 'flat@home', name: 'Flat', currency: 'EUR', model: 'flat', fee: 10n };
const EACH: Plan = { id: 'each', name: 'Each', currency: 'EUR', model: 'per_request', price: 1n };

const refused = (change: () => unknown): string => {
  try {
    change();
  } catch (error) {
    const { code, fields } = error as GatewayError;
    return [code, ...(fields ?? []).map(({ field }) => field)].join(' ');
  }
  return 'nothing';
};

it('orders the ids of statements by their cycles', () => {
  const ids = [1, 2, 10, 999_999].map((cycle) => statementId({ ...NEW, cycle }));
  expect(ids).toEqual(['abc-000001', 'abc-000002', 'abc-000010', 'abc-999999']);
});

it('names a version after its plan, whatever that is called', () => {
  const { planVersion } = withTerms(NEW, { plan: FLAT }, true);
  expect([planVersion, planIdOf(planVersion), planIdOf('')]).toEqual(['flat@home@1', 'flat@home', '']);
});

it('never gives a name to two versions', () => {
  const first = withTerms(NEW, { plan: EACH }, true);
  const none = withTerms(first, { plan: null }, false);
  const again = withTerms(withNextCycle(none, '2030-01-01T00:00:00.000Z'), { plan: EACH }, true);
  expect([first, none, again].map(({ planVersion }) => planVersion)).toEqual(['each@1', '', 'each@2']);
});

it('keeps the plans of a used cycle in their order, and forgets those of an unused one', () => {
  const first = withTerms(NEW, { plan: FLAT }, true);
  expect(Object.keys(withTerms(first, { plan: EACH }, false).plans)).toEqual(['flat@home@1', 'each@2']);
  expect(Object.keys(withTerms(first, { plan: EACH }, true).plans)).toEqual(['each@2']);
  expect(withTerms(first, { plan: FLAT }, false)).toEqual(first);
});

it('takes only the plan in force into the next cycle, and no plan to close it', () => {
  const used = withTerms(withTerms(NEW, { plan: FLAT }, true), { plan: EACH }, false);
  const next = withNextCycle({ ...used, closingAt: 'then' }, 'later');
  expect(next).toMatchObject({ cycle: 2, openedAt: 'later', planVersion: 'each@2' });
  expect(Object.keys(next.plans)).toEqual(['each@2']);
  expect(next.closingAt).toBeUndefined();
  expect(withTerms({ ...NEW, closingAt: 'then' }, {}, true).closingAt).toBeUndefined();
});

it('changes the currency between two cycles only, and never against the plan', () => {
  const withPlan = withTerms(NEW, { plan: FLAT }, true);
  expect(withPlan.currency).toBe('EUR');
  expect(refused(() => withTerms(NEW, { plan: FLAT }, false))).toBe('conflict');
  expect(refused(() => withTerms(NEW, { currency: 'EUR' }, false))).toBe('conflict');
  expect(refused(() => withTerms(NEW, { currency: 'USD' }, false))).toBe('nothing');
  expect(refused(() => withTerms(withPlan, { currency: 'USD' }, true))).toBe('validation_failed currency');
  expect(refused(() => withTerms(withPlan, { currency: 'USD', plan: EACH }, true))).toBe(
    'validation_failed planId',
  );
  expect(withTerms(withPlan, { currency: 'USD', plan: null }, true).currency).toBe('USD');
});
