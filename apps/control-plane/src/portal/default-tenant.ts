import { GatewayError } from '#libs/errors';
import { keys, versionOf, type Store } from '#libs/store';
import {
  ApiKeyRepository,
  DEFAULT_SERVICE_KEY_RATE_LIMIT,
  TenantRepository,
  type CreatedApiKey,
  type TenantDocument,
} from '#libs/tenants';
import { DEFAULT_TENANT } from '../edge/principal';

/** A name that never resolves (RFC 2606 §2), for a tenant that publishes nothing but its services. */
const NOWHERE = 'http://nowhere.invalid';
/** The limits are those of its keys (documented): together they may do whatever they may. */
const NO_LIMIT = { windowSeconds: 1, maxRequests: 1_000_000 };
const DOCUMENT: TenantDocument = {
  id: DEFAULT_TENANT,
  name: 'Default',
  upstreamBaseUrl: NOWHERE,
  allowedRoutes: [],
  rateLimit: NO_LIMIT,
};
const SHOWN =
  'the API key has been shown and is never shown again; the owner can rotate it, or make another one';

/** The tenant to whom everything belongs that is registered without a credential, where that is allowed. */
export class DefaultTenant {
  /** Made once however many ask: who came second would otherwise clear up after a predecessor of the same id. */
  private making: Promise<void> | undefined;

  constructor(
    private readonly store: Store,
    private readonly tenants: TenantRepository,
    private readonly apiKeys: ApiKeyRepository,
  ) {}

  /**
   * Sees to it that there is one.
   * @throws GatewayError tenant_suspended
   */
  async ensure(): Promise<void> {
    this.making ??= this.make().finally(() => (this.making = undefined));
    await this.making;
    const { tenant } = await this.tenants.get(DEFAULT_TENANT);
    if (tenant?.suspended) throw new GatewayError('tenant_suspended');
  }

  /**
   * The key of the tenant, for the first who asks. It has the documented limit, and with it may not manage.
   * @throws GatewayError conflict ever after, and at once where the owner has made the tenant his own
   */
  async showKeyOnce(): Promise<CreatedApiKey> {
    await this.ensure();
    const { tenant } = await this.tenants.get(DEFAULT_TENANT);
    if (tenant?.upstreamBaseUrl !== NOWHERE || tenant.allowedRoutes.length > 0)
      throw new GatewayError('conflict', 'the owner has set up the tenant, and gives out its API keys');
    const claim = keys.shownKey(DEFAULT_TENANT);
    if ((await this.store.documents.get(claim)) !== undefined) throw new GatewayError('conflict', SHOWN);
    const fields = { name: 'Default', rateLimit: DEFAULT_SERVICE_KEY_RATE_LIMIT };
    // The key first: whatever interrupts this leaves one of which nobody knows, and lets the next have another.
    const created = await this.apiKeys.create(DEFAULT_TENANT, fields);
    if (await this.store.documents.put(claim, created.record.id, 'absent')) return created;
    await this.apiKeys.revoke(DEFAULT_TENANT, created.record.id);
    throw new GatewayError('conflict', SHOWN);
  }

  private async make(): Promise<void> {
    const claim = keys.shownKey(DEFAULT_TENANT);
    // Read before the tenant is looked for: if it is gone then, this is what its predecessor has left.
    const left = await this.store.documents.get(claim);
    if (await this.exists()) return;
    if (left !== undefined) await this.store.documents.delete(claim, { version: versionOf(left) });
    try {
      await this.tenants.create(DOCUMENT);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'already_exists') throw error;
    }
  }

  private async exists(): Promise<boolean> {
    try {
      await this.tenants.get(DEFAULT_TENANT);
      return true;
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'tenant_not_found') return false;
      throw error;
    }
  }
}
