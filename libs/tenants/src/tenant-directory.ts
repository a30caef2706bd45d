import { GatewayError, type FieldProblem } from '#libs/errors';
import type { Logger } from '#libs/logging';
import { keys, type Store } from '#libs/store';
import { API_KEY_CHALLENGE, hashApiKey, isMistyped } from './api-key-format';
import { parseTenant } from './check-tenant';
import { FollowedCache } from './followed-cache';
import { ServedTenant } from './served-tenant';

/** An entry costs some 0.3 kB for a key and 1 kB for a tenant with a few routes. */
const MAX_ENTRIES = 262_144;

/** A tenant whose stored document cannot be served. */
class BrokenTenant {
  constructor(readonly problems: readonly FieldProblem[]) {}
}

/** From an API key to the compiled tenant, in memory for everyone who called before. */
export class TenantDirectory {
  private readonly tenantIds: FollowedCache<string>;
  private readonly tenants: FollowedCache<ServedTenant | BrokenTenant>;

  /** @param maxStaleMs how long known tenants are served while the store is away. */
  constructor(
    private readonly store: Store,
    private readonly logger: Logger,
    maxStaleMs: number,
  ) {
    const { changes } = store;
    this.tenantIds = new FollowedCache(store, (hash) => this.readMapping(hash), MAX_ENTRIES, maxStaleMs);
    this.tenants = new FollowedCache(store, (id) => this.readTenant(id), MAX_ENTRIES, maxStaleMs);
    changes.subscribe((key) => this.forget(key));
  }

  /**
   * The tenant that an API key belongs to; synchronous when it is cached, which is nearly always.
   * @throws GatewayError invalid_api_key, tenant_misconfigured or store_unavailable
   */
  byApiKey(apiKey: string): ServedTenant | Promise<ServedTenant> {
    if (isMistyped(apiKey)) throw unknownKey();
    const id = this.tenantIds.get(hashApiKey(apiKey));
    if (id instanceof Promise) return id.then((found) => this.byId(found));
    return this.byId(id);
  }

  private byId(id: string | undefined): ServedTenant | Promise<ServedTenant> {
    const tenant = id === undefined ? undefined : this.tenants.get(id);
    return tenant instanceof Promise ? tenant.then(served) : served(tenant);
  }

  private async readMapping(hash: string): Promise<string | undefined> {
    try {
      return await this.store.documents.get(keys.apiKeyMapping(hash));
    } catch (error) {
      // Somebody stored a list or a hash under the key's name: that key is broken, not the store.
      if (!(error as Error).message.startsWith('WRONGTYPE')) throw error;
      this.logger.error({ reason: (error as Error).message }, 'the stored API key cannot be served');
      throw new GatewayError('tenant_misconfigured', undefined, { cause: error });
    }
  }

  private async readTenant(id: string): Promise<ServedTenant | BrokenTenant | undefined> {
    const text = await this.readDocument(id);
    if (text instanceof BrokenTenant || text === undefined) return text;
    const { tenant, problems } = parseTenant(id, text);
    return tenant ? new ServedTenant(tenant) : this.broken(id, problems);
  }

  private async readDocument(id: string): Promise<string | BrokenTenant | undefined> {
    try {
      return await this.store.documents.get(keys.tenant(id));
    } catch (error) {
      const { message } = error as Error;
      // Somebody stored a list or a hash under the tenant's key: that tenant is broken, not the store.
      if (message.startsWith('WRONGTYPE')) return this.broken(id, [{ field: '', message }]);
      throw error;
    }
  }

  private broken(id: string, problems: readonly FieldProblem[]): BrokenTenant {
    this.logger.error({ tenantId: id, problems }, 'the stored tenant cannot be served');
    return new BrokenTenant(problems);
  }

  private forget(key: string | undefined): void {
    if (key === undefined) return; // The epoch has moved on, and with it every entry.
    const mapping = keys.apiKeyMapping('');
    if (key.startsWith(mapping)) this.tenantIds.invalidate(key.slice(mapping.length));
    const id = keys.tenantIdOf(key);
    if (id !== undefined) this.tenants.invalidate(id);
  }
}

function served(tenant: ServedTenant | BrokenTenant | undefined): ServedTenant {
  // A key whose tenant is gone is as good as no key; saying more would tell strangers which tenants existed.
  if (tenant === undefined) throw unknownKey();
  if (tenant instanceof BrokenTenant) throw new GatewayError('tenant_misconfigured');
  return tenant;
}

function unknownKey(): GatewayError {
  return new GatewayError('invalid_api_key', undefined, { headers: API_KEY_CHALLENGE });
}
