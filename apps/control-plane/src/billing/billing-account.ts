import { formatMoney, planDocument, type Plan } from '#libs/billing';
import { GatewayError } from '#libs/errors';
import type { TenantBilling } from '#libs/tenants';

/** The terms of a tenant as they are stored, with what only the control plane needs of them. */
export interface BillingAccount extends TenantBilling {
  /** Begins the ids of the tenant's statements; a tenant that follows under the same id has another. */
  statementSeries: string;
  /** How many plans have been assigned so far, so that no two versions share a name. */
  assignedPlans: number;
  /** ISO 8601: when somebody set about closing the open cycle. */
  closingAt?: string;
}

/** New terms; what is absent stays. Amounts are in nano-units; null takes away. */
export interface TermsChange {
  currency?: string;
  pricePerRequest?: bigint;
  spendCap?: bigint | null;
  plan?: Plan | null;
}

/** Sorts by number up to a million cycles, which is one a minute for two years. */
const CYCLE_DIGITS = 6;

/** Id of the statement of a cycle: the same for everybody who closes it. */
export function statementId({ statementSeries, cycle }: BillingAccount): string {
  return `${statementSeries}-${String(cycle).padStart(CYCLE_DIGITS, '0')}`;
}

/** Id of the plan that a version is of. */
export function planIdOf(planVersion: string): string {
  return planVersion.slice(0, planVersion.lastIndexOf('@'));
}

/** The account with the cycle after its open one, on the same terms. */
export function withNextCycle(account: BillingAccount, openedAt: string): BillingAccount {
  const { closingAt: _, ...rest } = account;
  const { planVersion, plans } = account;
  const plan = plans[planVersion];
  return { ...rest, cycle: account.cycle + 1, openedAt, plans: plan ? { [planVersion]: plan } : {} };
}

/**
 * The account on other terms.
 * @param unused whether nothing has been billed in the open cycle yet.
 * @throws GatewayError conflict for another currency in a cycle that has begun to cost something, validation_failed
 *   where plan and currency do not go together
 */
export function withTerms(account: BillingAccount, change: TermsChange, unused: boolean): BillingAccount {
  // Whoever was about to close the cycle has not done so; a later time than theirs is nearer to the truth.
  const { closingAt: _, ...rest } = account;
  const next: BillingAccount = { ...rest, currency: currencyAfter(account, change, unused) };
  if (change.pricePerRequest !== undefined) next.pricePerRequest = formatMoney(change.pricePerRequest);
  if (change.spendCap === null) delete next.spendCap;
  else if (change.spendCap !== undefined) next.spendCap = formatMoney(change.spendCap);
  if (change.plan === null) return withPlan(next, '', undefined, unused);
  if (change.plan === undefined || isCurrent(account, change.plan)) return next;
  const assignedPlans = account.assignedPlans + 1;
  const version = `${change.plan.id}@${assignedPlans}`;
  return withPlan({ ...next, assignedPlans }, version, change.plan, unused);
}

/** A plan that nothing was billed under was never in force: otherwise there would be no way out of its fee. */
function withPlan(
  account: BillingAccount,
  planVersion: string,
  plan: Plan | undefined,
  unused: boolean,
): BillingAccount {
  const plans = unused ? {} : account.plans;
  return { ...account, planVersion, plans: plan ? { ...plans, [planVersion]: planDocument(plan) } : plans };
}

/** A plan brings its currency along; apart from that, a change of the currency must be asked for. */
function currencyAfter(account: BillingAccount, { currency, plan }: TermsChange, unused: boolean): string {
  const next = currency ?? plan?.currency ?? account.currency;
  if (plan && plan.currency !== next) refuse('planId', `is in ${plan.currency}, not in ${next}`);
  if (next === account.currency) return next;
  const current = account.plans[account.planVersion] as { currency: string } | undefined;
  if (plan === undefined && current) refuse('currency', `is not that of the plan, ${current.currency}`);
  if (unused) return next;
  throw new GatewayError(
    'conflict',
    `requests of the open cycle are billed in ${account.currency}: close it first, the currency changes between two cycles`,
  );
}

/** Assigning what holds already would make versions for nothing. */
function isCurrent({ planVersion, plans }: BillingAccount, plan: Plan): boolean {
  return JSON.stringify(plans[planVersion]) === JSON.stringify(planDocument(plan));
}

function refuse(field: string, message: string): never {
  throw new GatewayError('validation_failed', undefined, { fields: [{ field, message }] });
}
