import { keys, type Budget, type Store } from '#libs/store';
import { checkBilling } from '#libs/tenants';
import { cycleTable, usageOf } from '../billing/cycle-usage';

const PAGE = 100;

/**
 * Charges the spend caps of all tenants with what their open cycles have cost, and with nothing else: how much of a cap is
 * spent is in no backup, and after a restore nobody may spend it twice.
 */
export async function chargeSpentCaps(store: Store): Promise<void> {
  const { documents } = store;
  for (let page = await documents.indexPage(keys.TENANT_INDEX, '', PAGE); page.length > 0;) {
    for (const tenantId of page) await chargeSpentCap(store, tenantId);
    page = await documents.indexPage(keys.TENANT_INDEX, page.at(-1) ?? '', PAGE);
  }
}

async function chargeSpentCap(store: Store, tenantId: string): Promise<void> {
  const text = await store.documents.get(keys.tenantBilling(tenantId));
  const { spendCapNano, cycle = 0 } = (text === undefined ? undefined : checkBilling(text).billing) ?? {};
  if (spendCapNano === undefined) return;
  const { lines } = usageOf(await store.ledgers.read(tenantId, cycleTable(cycle)));
  const spent = [...lines.values()].flat().reduce((sum, { cost }) => sum + cost, 0n);
  const key = keys.spendCap(tenantId, cycle);
  const cap: Budget = { key, capacity: spendCapNano, windowMs: 0, cost: 1, endsAt: 0 };
  await store.limits.forget([key]);
  if (spent > 0n) await store.limits.charge([[cap, Math.min(spendCapNano, Number(spent))]]);
}
