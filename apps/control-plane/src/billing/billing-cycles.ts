import { createStatement, parseMoney, type BilledKey, type Statement } from '#libs/billing';
import type { Logger } from '#libs/logging';
import type { Store } from '#libs/store';
import { MAX_USAGE_DAYS } from '#libs/usage';
import type { KnownKeys } from '../usage/known-keys';
import { statementId, withNextCycle, type BillingAccount } from './billing-account';
import type { BillingAccounts, StoredAccount } from './billing-accounts';
import { cycleTable, plansOf, rateCycle, usageOf, type CycleUsage } from './cycle-usage';
import type { Statements } from './statements';

/** More than there can be closers at once; each round brings somebody further. */
const MAX_ROUNDS = 200;
const KEEP_TABLE_MS = MAX_USAGE_DAYS * 86_400_000;

/**
 * The billing cycles of tenants. A cycle ends in three steps: the ledger adds to the next one, the statement is issued,
 * the account goes on to the next one. The first step decides; the others give the same result whoever takes them, and
 * whoever looks at the account next takes those that are missing.
 */
export class BillingCycles {
  constructor(
    private readonly store: Store,
    private readonly accounts: BillingAccounts,
    private readonly statements: Statements,
    private readonly known: KnownKeys,
    private readonly logger: Logger,
  ) {}

  /** A tenant's account in the cycle that the ledger adds to now. */
  async current(tenantId: string): Promise<StoredAccount> {
    const { ledgers } = this.store;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      // In this order: the account never runs ahead of the ledger.
      const stored = await this.accounts.read(tenantId);
      const open = await ledgers.openCycle(tenantId);
      if (stored.account.cycle === open) return stored;
      if (stored.account.cycle < open) await this.finish(tenantId, stored);
      else {
        this.logger.warn(
          { category: 'admin', tenantId, open },
          'the ledger has lost that a billing cycle was closed: what it has counted since then is in no statement',
        );
        await ledgers.closeCycle(tenantId, open);
      }
    }
    throw new Error(`the billing cycles of ${tenantId} kept changing`);
  }

  /**
   * Closes the open cycle and opens the next.
   * @returns the statement; whoever closes at the same time gets the same one.
   */
  async close(tenantId: string): Promise<Statement> {
    const { account, version } = await this.current(tenantId);
    // A cycle that a crash leaves half closed ended when somebody closed it, not when it is found. Whether this can
    // be written does not matter: if not, somebody else has just closed the cycle or changed its terms.
    await this.accounts.save(tenantId, { ...account, closingAt: new Date().toISOString() }, version);
    await this.store.ledgers.closeCycle(tenantId, account.cycle);
    const { account: next } = await this.current(tenantId);
    return this.statements.get(tenantId, statementId({ ...next, cycle: account.cycle }));
  }

  async usage(tenantId: string, cycle: number): Promise<CycleUsage> {
    return usageOf(await this.store.ledgers.read(tenantId, cycleTable(cycle)));
  }

  /** Takes the steps that are missing after the ledger has closed the account's cycle. */
  private async finish(tenantId: string, { account, version }: StoredAccount): Promise<void> {
    if (account.statementSeries === '') {
      // The id of the statement must be known to all before the first of them makes it.
      await this.accounts.save(tenantId, account, version);
      return;
    }
    const issued = await this.statements.find(tenantId, statementId(account));
    const { closedAt } = issued ?? (await this.statements.issue(await this.statementOf(tenantId, account)));
    const saved = await this.accounts.save(tenantId, withNextCycle(account, closedAt), version);
    // The statement has all that is billed; the rest is of use for as long as there is usage to compare it with.
    if (saved) await this.store.ledgers.expire(tenantId, cycleTable(account.cycle), KEEP_TABLE_MS);
  }

  private async statementOf(tenantId: string, account: BillingAccount): Promise<Statement> {
    const { cycle, openedAt, closingAt = new Date().toISOString() } = account;
    const rated = rateCycle(account, await this.usage(tenantId, cycle));
    const lines = rated.lines.filter(({ units, cost }) => units > 0n || cost > 0n);
    return createStatement({
      id: statementId(account),
      tenantId,
      cycle,
      openedAt,
      // Clocks of two machines may differ.
      closedAt: closingAt > openedAt ? closingAt : openedAt,
      plans: [...plansOf(account).values()],
      rated: { ...rated, lines },
      keys: await this.billedKeys(
        tenantId,
        lines.map(({ keyId }) => keyId),
        account,
      ),
    });
  }

  private async billedKeys(
    tenantId: string,
    ids: readonly string[],
    { pricePerRequest }: BillingAccount,
  ): Promise<Map<string, BilledKey>> {
    const found = await this.known.find(tenantId, ids);
    return new Map(
      [...found].map(([id, { name, serviceId, pricePerRequest: own }]) => [
        id,
        { name, serviceId, price: parseMoney(own ?? pricePerRequest) },
      ]),
    );
  }
}
