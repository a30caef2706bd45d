import { keys, versionOf, type Store } from '#libs/store';
import { parseBilling, sortableId } from '#libs/tenants';
import type { BillingAccount } from './billing-account';

/** An account with the version of its document; without one while nobody has written it. */
export interface StoredAccount {
  readonly account: BillingAccount;
  readonly version: string | undefined;
}

/** The documents under `tenant:billing:{id}`, which the data plane follows. */
export class BillingAccounts {
  constructor(private readonly store: Store) {}

  async read(tenantId: string): Promise<StoredAccount> {
    const text = await this.store.documents.get(keys.tenantBilling(tenantId));
    return {
      account: { statementSeries: '', assignedPlans: 0, ...parseBilling(text) },
      version: text === undefined ? undefined : versionOf(text),
    };
  }

  /**
   * Writes an account, with a series of statements from the first time on.
   * @param version of the document that the account was made from.
   * @returns what was written; undefined if somebody else has written since.
   */
  async save(
    tenantId: string,
    account: BillingAccount,
    version: string | undefined,
  ): Promise<StoredAccount | undefined> {
    const saved = { ...account, statementSeries: account.statementSeries || sortableId() };
    const text = JSON.stringify(saved);
    const expected = version === undefined ? 'absent' : { version };
    const done = await this.store.documents.put(keys.tenantBilling(tenantId), text, expected);
    return done ? { account: saved, version: versionOf(text) } : undefined;
  }
}
