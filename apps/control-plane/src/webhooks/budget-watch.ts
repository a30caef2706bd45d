import type { Logger } from '#libs/logging';
import { StoreUnavailableError, keys, versionOf, type Budget, type Store } from '#libs/store';
import { checkBilling, spendCapNews, type ApiKeyRepository, type ListedApiKey } from '#libs/tenants';
import type { WebhookEventName, WebhookQueue, Webhooks } from '#libs/webhooks';

const PERIOD_MS = 60_000;
const PAGE = 100;
/** From these parts of a budget on, its tenant is told, once each. */
const THRESHOLDS = [100, 80] as const;
/** How long before its end a key is said to expire. */
const EXPIRING_MS = 7 * 86_400_000;
const WATCHED: readonly WebhookEventName[] = ['billing.spend_cap', 'billing.quota', 'key.expiring'];

/**
 * Looks once a minute for budgets that are nearly spent and keys that are about to expire, where somebody wants to know.
 * Several control planes may look; each state is told once.
 */
export class BudgetWatch {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: Store,
    private readonly webhooks: Webhooks,
    private readonly queue: WebhookQueue,
    private readonly apiKeys: ApiKeyRepository,
    private readonly logger: Pick<Logger, 'warn'>,
  ) {}

  start(periodMs = PERIOD_MS): void {
    const turn = (): Promise<void> =>
      this.takeTurn(periodMs).then((mine) => (mine ? this.look() : undefined));
    this.timer = setInterval(() => void (this.running = this.running.then(turn)), periodMs).unref();
  }

  /** Resolves when a look that is under way has ended. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    await this.running;
  }

  /** Looks at all tenants whose events anybody wants. */
  async look(now = Date.now()): Promise<void> {
    try {
      const all = (await this.webhooks.all()).filter(
        ({ enabled, events }) =>
          enabled && (events.length === 0 || events.some((one) => WATCHED.includes(one))),
      );
      const everybody = all.some(({ tenantId }) => tenantId === undefined);
      const some = new Set(all.flatMap(({ tenantId }) => tenantId ?? []));
      for await (const id of everybody ? this.tenants() : some) await this.lookAt(id, now);
    } catch (error) {
      // The next minute will do.
      if (!(error instanceof StoreUnavailableError))
        this.logger.warn({ category: 'admin', err: error }, 'budgets could not be looked at');
    }
  }

  /** Of several control planes one looks in each period. */
  private async takeTurn(periodMs: number): Promise<boolean> {
    try {
      if ((await this.webhooks.all()).length === 0) return false;
      const key = keys.webhookSeen('budget-watch');
      const period = String(Math.floor(Date.now() / periodMs));
      const before = await this.store.documents.get(key);
      if (before === period) return false;
      const expected = before === undefined ? 'absent' : { version: versionOf(before) };
      return await this.store.documents.put(key, period, expected);
    } catch {
      return false;
    }
  }

  private async *tenants(): AsyncIterable<string> {
    const { documents } = this.store;
    for (let page = await documents.indexPage(keys.TENANT_INDEX, '', PAGE); page.length > 0;) {
      yield* page;
      page = await documents.indexPage(keys.TENANT_INDEX, page.at(-1) ?? '', PAGE);
    }
  }

  private async lookAt(tenantId: string, now: number): Promise<void> {
    const text = await this.store.documents.get(keys.tenantBilling(tenantId));
    const terms = text === undefined ? undefined : checkBilling(text).billing;
    if (terms?.spendCapNano !== undefined) {
      const { spendCapNano, cycle, priceNano } = terms;
      const percent = await this.spent(keys.spendCap(tenantId, cycle), spendCapNano, priceNano);
      // Whoever raises a cap wants to hear of the new one.
      await this.tell('billing.spend_cap', spendCapNews(tenantId), `${cycle}/${spendCapNano}`, percent, {
        tenantId,
        cycle,
      });
    }
    for (let after: string | undefined = ''; after !== undefined;) {
      const page: Awaited<ReturnType<ApiKeyRepository['list']>> = await this.apiKeys
        .list(tenantId, after, PAGE)
        .catch(() => ({ apiKeys: [] }));
      for (const key of page.apiKeys) if (key.active) await this.lookAtKey(tenantId, key, now);
      after = page.next;
    }
  }

  private async lookAtKey(tenantId: string, key: ListedApiKey, now: number): Promise<void> {
    const { id, lineage = id, monthlyQuota, expiresAt, name } = key;
    const end = expiresAt === undefined ? Infinity : Date.parse(expiresAt);
    if (end - now < EXPIRING_MS) {
      const event = { type: 'key.expiring', tenantId, data: { keyId: id, name, expiresAt } } as const;
      await this.queue.emitOnce(`expiring:${id}`, expiresAt ?? '', event);
    }
    if (monthlyQuota === undefined) return;
    const month = new Date(now).toISOString().slice(0, 7);
    const percent = await this.spent(keys.quota(tenantId, lineage, month), monthlyQuota);
    await this.tell('billing.quota', `quota:${lineage}`, `${month}/${monthlyQuota}`, percent, {
      tenantId,
      keyId: id,
      name,
      month,
    });
  }

  /** @param budget in which period, and how large. */
  private async tell(
    type: WebhookEventName,
    what: string,
    budget: string,
    percent: number,
    {
      tenantId,
      ...data
    }: { tenantId: string; keyId?: string; name?: string; month?: string; cycle?: number },
  ): Promise<void> {
    const threshold = THRESHOLDS.find((one) => percent >= one);
    if (threshold === undefined) return;
    const event = { type, tenantId, data: { ...data, threshold, percent: Math.floor(percent) } };
    // What was taken and not used comes back, so a budget that was spent may have a little again: no news.
    const isMore = (told: string): boolean =>
      !told.startsWith(`${budget}:`) || Number(told.slice(budget.length + 1)) < threshold;
    await this.queue.emitOnce(what, `${budget}:${threshold}`, event, isMore);
  }

  /** In percent: all of it, too, where what is left does not pay for another request. */
  private async spent(key: string, capacity: number, price = 1): Promise<number> {
    const budget: Budget = { key, capacity, windowMs: 0, cost: 1, endsAt: 0 };
    const { verdicts } = await this.store.limits.peek([budget]);
    const { remaining = capacity } = verdicts[0] ?? {};
    return remaining < Math.max(1, price) ? 100 : (100 * (capacity - remaining)) / capacity;
  }
}
