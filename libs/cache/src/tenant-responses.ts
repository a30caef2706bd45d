import { keys, type Store } from '#libs/store';
import type { Belongings } from '#libs/tenants';
import type { ResponseStore } from './response-store';

/** What is stored for tenants, as something that must not outlive them: their ids may be given out again. */
export class TenantResponses implements Belongings {
  /** @param local of a data plane in the same process. */
  constructor(
    private readonly store: Store,
    private readonly local: ResponseStore | undefined,
  ) {}

  /** @throws StoreUnavailableError */
  async revokeAllBefore(tenantId: string): Promise<void> {
    this.local?.memory.drop(tenantId);
    await this.store.responses?.drop(tenantId);
    await this.store.documents.delete(keys.cachePurges(tenantId), 'any');
  }
}
