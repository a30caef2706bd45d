import { isCurrency, parsePrice, type Plan } from '#libs/billing';
import { GatewayError, type FieldProblem } from '#libs/errors';
import { withTerms, type BillingAccount, type TermsChange } from './billing-account';
import type { BillingAccounts, StoredAccount } from './billing-accounts';
import type { BillingCycles } from './billing-cycles';
import type { Plans } from './plans';

/** A change as it is asked for: amounts as numbers or decimal texts, the plan by its id. */
export interface TermsPatch {
  currency?: unknown;
  pricePerRequest?: unknown;
  spendCap?: unknown;
  planId?: string | null;
}

const MAX_ROUNDS = 200;

/** On what terms the requests of tenants are billed. */
export class BillingTerms {
  constructor(
    private readonly accounts: BillingAccounts,
    private readonly cycles: BillingCycles,
    private readonly plans: Plans,
  ) {}

  /** What holds now; defaults where nobody has said anything. */
  terms(tenantId: string): Promise<StoredAccount> {
    return this.cycles.current(tenantId);
  }

  /**
   * Changes terms from now on: what has been billed stays as it is.
   * @param versions of which the stored one must be one; absent demands nothing.
   * @throws GatewayError validation_failed, conflict or precondition_failed
   */
  async change(tenantId: string, patch: TermsPatch, versions?: readonly string[]): Promise<StoredAccount> {
    const change = { ...checked(patch), plan: await this.planOf(patch.planId) };
    if (change.plan) await this.plans.noteTenant(change.plan.id, tenantId);
    const saved = await this.save(tenantId, change, versions);
    // Again: whoever looked for the tenants of the plan meanwhile has removed the entry.
    if (change.plan) await this.plans.noteTenant(change.plan.id, tenantId);
    return saved;
  }

  private async save(
    tenantId: string,
    change: TermsChange,
    versions: readonly string[] | undefined,
  ): Promise<StoredAccount> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const stored = await this.cycles.current(tenantId);
      const { account, version } = stored;
      if (versions && (version === undefined || !versions.includes(version)))
        throw new GatewayError('precondition_failed');
      const changed = withTerms(account, change, await this.isUnused(tenantId, account));
      const saved = await this.accounts.save(tenantId, changed, version);
      if (saved) return saved;
    }
    throw new GatewayError('precondition_failed', 'others kept changing the terms at the same time');
  }

  private async isUnused(tenantId: string, { cycle }: BillingAccount): Promise<boolean> {
    return (await this.cycles.usage(tenantId, cycle)).units === 0n;
  }

  private async planOf(id: string | null | undefined): Promise<Plan | null | undefined> {
    if (id === null || id === undefined) return id;
    try {
      return (await this.plans.get(id)).plan;
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'plan_not_found') throw error;
      throw invalid([{ field: 'planId', message: 'is not the id of a plan' }]);
    }
  }
}

function checked({ currency, pricePerRequest, spendCap }: TermsPatch): TermsChange {
  const problems: FieldProblem[] = [];
  const amount = (value: unknown, field: string): bigint | undefined => {
    if (value === undefined) return undefined;
    const price = parsePrice(value, field);
    problems.push(...(price.problems ?? []));
    return price.nano;
  };
  if (currency !== undefined && !isCurrency(currency)) {
    problems.push({ field: 'currency', message: 'must be a currency code of ISO 4217, such as EUR' });
  }
  const change = {
    currency: currency as string | undefined,
    pricePerRequest: amount(pricePerRequest, 'pricePerRequest'),
    spendCap: spendCap === null ? null : amount(spendCap, 'spendCap'),
  };
  if (problems.length > 0) throw invalid(problems);
  return change;
}

function invalid(fields: readonly FieldProblem[]): GatewayError {
  return new GatewayError('validation_failed', undefined, { fields });
}
