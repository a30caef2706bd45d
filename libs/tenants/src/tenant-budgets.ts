import { keys, type Store } from '#libs/store';
import { ApiKeyDocuments } from './api-key-documents';

/** As many are forgotten in one call. */
const PORTION = 1000;

/** Names what is told once of how much of its spend cap a tenant has spent (`webhookSeen`). */
export const spendCapNews = (tenantId: string): string => `cap:${tenantId}`;

/**
 * Forgets what a tenant and its API keys have spent, and what was told of that, so that a successor under the same id starts
 * anew. To be asked for while the keys are still known; the returned function forgets, and is called when nobody can spend
 * any more.
 * Quotas of keys that were revoked earlier end with their month by themselves.
 * @param now milliseconds since the epoch.
 */
export async function forgetBudgets(
  store: Store,
  tenantId: string,
  now: number,
): Promise<() => Promise<void>> {
  const cycles = await store.ledgers.openCycle(tenantId);
  const budgets = Array.from({ length: cycles }, (_, i) => keys.spendCap(tenantId, i + 1));
  const documents = new ApiKeyDocuments(store);
  for await (const id of documents.ids(keys.apiKeyIndex(tenantId))) {
    const { lineage = id } = (await documents.find(tenantId, id))?.record ?? {};
    for (const month of monthsAround(now)) budgets.push(keys.quota(tenantId, lineage, month));
  }
  return async () => {
    for (let at = 0; at < budgets.length; at += PORTION)
      await store.limits.forget(budgets.slice(at, at + PORTION));
    await store.documents.delete(keys.webhookSeen(spendCapNews(tenantId)), 'any');
  };
}

/** The clocks of replicas need not agree on when a month begins. */
function monthsAround(now: number): string[] {
  const date = new Date(now);
  return [-1, 0, 1].map((away) => {
    const month = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + away));
    return month.toISOString().slice(0, 7);
  });
}
