import { formatMoney, toNumber, type RatedCycle } from '#libs/billing';
import { countMembers, keys, type Store } from '#libs/store';
import type { ApiKeyRepository, ListedApiKey } from '#libs/tenants';
import { TOTALS, totals } from '#libs/usage';
import { planIdOf, type BillingAccount } from './billing-account';
import type { BilledApiKeyDto, BillingSummaryDto } from './billing.dto';
import type { BillingCycles } from './billing-cycles';
import { plansOf, rateCycle, type CycleUsage } from './cycle-usage';

/** The open cycle as it would be billed if it were closed now. */
interface OpenCycle {
  readonly account: BillingAccount;
  readonly usage: CycleUsage;
  readonly rated: RatedCycle;
}

/** What the open billing cycles cost so far, in the words of the documented operations. */
export class BillingOverview {
  constructor(
    private readonly store: Store,
    private readonly cycles: BillingCycles,
    private readonly apiKeys: ApiKeyRepository,
  ) {}

  async summary(tenantId: string): Promise<BillingSummaryDto> {
    const [{ account, usage, rated }, services, apiKeys] = await Promise.all([
      this.open(tenantId),
      countMembers(this.store.documents, keys.serviceIndex(tenantId)),
      countMembers(this.store.documents, keys.apiKeyIndex(tenantId)),
    ]);
    const plan = plansOf(account).get(account.planVersion);
    const fees = rated.fees.reduce((sum, { amount }) => sum + amount, 0n);
    return {
      tenant_id: tenantId,
      currency: account.currency,
      cycle: account.cycle,
      opened_at: account.openedAt,
      total_requests: Number(usage.units),
      total_cost: toNumber(rated.total),
      total_cost_exact: formatMoney(rated.total),
      fees: toNumber(fees),
      price_per_request: Number(account.pricePerRequest),
      spend_cap: account.spendCap === undefined ? null : Number(account.spendCap),
      plan: plan
        ? {
            id: planIdOf(account.planVersion),
            name: plan.name,
            model: plan.model,
            version: account.planVersion,
          }
        : null,
      services,
      api_keys: apiKeys,
    };
  }

  /**
   * Up to `limit` keys after the one named `after`, in the order of their ids: those there are, and those that are gone
   * and have cost something in the open cycle.
   */
  async apiKeysPage(
    tenantId: string,
    after: string,
    limit: number,
  ): Promise<{ keys: BilledApiKeyDto[]; next?: string }> {
    const [{ account, rated }, { apiKeys, next }] = await Promise.all([
      this.open(tenantId),
      this.apiKeys.list(tenantId, after, limit),
    ]);
    const known = new Map(apiKeys.map((key) => [key.id, key]));
    const lines = new Map(rated.lines.map((line) => [line.keyId, line]));
    // Ids above `next` may be those of keys that come with the pages after this one.
    const gone = [...lines.keys()].filter(
      (id) => id > after && !known.has(id) && (next === undefined || id <= next),
    );
    const ids = [...known.keys(), ...gone].sort();
    const page = ids.slice(0, limit);
    const lifetimes = await this.lifetimes(tenantId, page);
    const rows = page.map((id, index) => ({
      ...heading(id, known.get(id), account),
      ...amounts(lines.get(id)),
      lifetime_requests: Number(lifetimes[index]?.billed ?? 0n),
      lifetime_cost: toNumber(lifetimes[index]?.cost ?? 0n),
    }));
    return { keys: rows, next: ids.length > limit ? page.at(-1) : next };
  }

  private async open(tenantId: string): Promise<OpenCycle> {
    const { account } = await this.cycles.current(tenantId);
    const usage = await this.cycles.usage(tenantId, account.cycle);
    return { account, usage, rated: rateCycle(account, usage) };
  }

  /** In the order of the ids. */
  private async lifetimes(
    tenantId: string,
    ids: readonly string[],
  ): Promise<Array<{ billed: bigint; cost: bigint }>> {
    const fields = ids.flatMap((id) => [totals.keyBilled(id), totals.keyCost(id)]);
    const sums = await this.store.ledgers.readFields(tenantId, TOTALS, fields);
    return ids.map((_, index) => ({ billed: sums[2 * index] ?? 0n, cost: sums[2 * index + 1] ?? 0n }));
  }
}

function heading(id: string, key: ListedApiKey | undefined, { pricePerRequest }: BillingAccount) {
  return {
    key_id: id,
    name: key?.name ?? null,
    prefix: key?.prefix ?? null,
    service_id: key?.serviceId === undefined ? null : Number(key.serviceId),
    active: key?.active ?? false,
    price_per_request: Number(key?.pricePerRequest ?? pricePerRequest),
  };
}

function amounts({ units, cost }: { units: bigint; cost: bigint } = { units: 0n, cost: 0n }) {
  return { total_requests: Number(units), total_cost: toNumber(cost), total_cost_exact: formatMoney(cost) };
}
