import { GatewayError } from '#libs/errors';
import { keys, versionOf, type Store } from '#libs/store';
import { generateApiKey, hashApiKey } from './api-key-format';
import { sortableId } from './sortable-id';
import { hasTenant } from './tenant-index';

/** What may be known about an API key after it has been shown. */
export interface ApiKeyRecord {
  /** Sorts by the time of creation. */
  id: string;
  name: string;
  /** The beginning of the key, enough to recognise it by. */
  prefix: string;
  /** ISO 8601. */
  createdAt: string;
}

/** A record, and whether the key is accepted now: another program may have deleted its mapping. */
export interface ListedApiKey extends ApiKeyRecord {
  active: boolean;
}

interface StoredKey extends ApiKeyRecord {
  hash: string;
}

/** `gh_live_` and 24 of the 256 random bits. */
const SHOWN_LENGTH = 12;
const PAGE = 100;
const SHA256_HEX = /^[0-9a-f]{64}$/;

/**
 * API keys as the control plane sees them. A key is accepted while its mapping `tenant:byApiKey:{sha-256}` exists,
 * whoever wrote that; the record beside it only says what the key is called.
 */
export class ApiKeyRepository {
  constructor(private readonly store: Store) {}

  /**
   * Makes a key. It is returned here and never again.
   * @throws GatewayError tenant_not_found
   */
  async create(tenantId: string, name: string): Promise<{ record: ApiKeyRecord; apiKey: string }> {
    await this.requireTenant(tenantId);
    const apiKey = generateApiKey();
    const hash = hashApiKey(apiKey);
    const createdAt = new Date();
    const record = {
      id: sortableId(createdAt.getTime()),
      name,
      prefix: apiKey.slice(0, SHOWN_LENGTH),
      createdAt: createdAt.toISOString(),
    };
    const { documents } = this.store;
    // The mapping comes last: a crash before it leaves a record of a key that was never accepted, not the reverse.
    await documents.put(
      keys.apiKeyRecord(tenantId, record.id),
      JSON.stringify({ ...record, hash }),
      'absent',
    );
    await documents.indexAdd(keys.apiKeyIndex(tenantId), record.id);
    await documents.put(keys.apiKeyMapping(hash), tenantId, 'absent');
    await this.withdrawIfOrphaned(tenantId, { ...record, hash });
    return { record, apiKey };
  }

  /**
   * Up to `limit` keys made after the one named `after`, and the name to go on from, if there are more.
   * @throws GatewayError tenant_not_found
   */
  async list(
    tenantId: string,
    after: string,
    limit: number,
  ): Promise<{ apiKeys: ListedApiKey[]; next?: string }> {
    await this.requireTenant(tenantId);
    const ids = await this.store.documents.indexPage(keys.apiKeyIndex(tenantId), after, limit + 1);
    const page = ids.slice(0, limit);
    const listed = await Promise.all(page.map((id) => this.listed(tenantId, id)));
    const apiKeys = listed.filter((key) => key !== undefined);
    return { apiKeys, next: ids.length > limit ? page.at(-1) : undefined };
  }

  /**
   * Ends a key, on every replica as fast as the change feed carries it.
   * @param keyId id of a record, or the hex SHA-256 of a key that another program has mapped to this tenant.
   * @throws GatewayError tenant_not_found or api_key_not_found, also for the key of another tenant
   */
  async revoke(tenantId: string, keyId: string): Promise<void> {
    await this.requireTenant(tenantId);
    const stored = SHA256_HEX.test(keyId)
      ? await this.byHash(tenantId, keyId)
      : await this.stored(tenantId, keyId);
    if (stored) return this.drop(tenantId, stored.id, stored.hash);
    const unmapped = SHA256_HEX.test(keyId) && (await this.unmap(tenantId, keyId));
    if (!unmapped) throw new GatewayError('api_key_not_found');
  }

  /**
   * Ends the keys that a tenant had before `time` (milliseconds since the epoch): its successor under the same id
   * must not be opened by them.
   */
  async revokeAllBefore(tenantId: string, time: number): Promise<void> {
    for await (const id of this.ids(tenantId)) {
      const stored = await this.stored(tenantId, id);
      if (stored && Date.parse(stored.createdAt) > time) continue;
      await this.drop(tenantId, id, stored?.hash);
    }
  }

  /** The tenant may have been removed while its key was being made, after its other keys had been collected. */
  private async withdrawIfOrphaned(tenantId: string, key: StoredKey): Promise<void> {
    try {
      await this.requireTenant(tenantId);
    } catch (error) {
      if (error instanceof GatewayError) await this.drop(tenantId, key.id, key.hash);
      throw error;
    }
  }

  private async requireTenant(id: string): Promise<void> {
    if (!(await hasTenant(this.store, id))) throw new GatewayError('tenant_not_found');
  }

  private async listed(tenantId: string, id: string): Promise<ListedApiKey | undefined> {
    const stored = await this.stored(tenantId, id);
    if (!stored) {
      // What an interrupted revocation left; a record is written before its entry.
      await this.store.documents.indexRemove(keys.apiKeyIndex(tenantId), id);
      return undefined;
    }
    const { hash, ...record } = stored;
    return { ...record, active: (await this.store.documents.get(keys.apiKeyMapping(hash))) === tenantId };
  }

  private async stored(tenantId: string, id: string): Promise<StoredKey | undefined> {
    const text = await this.store.documents.get(keys.apiKeyRecord(tenantId, id));
    return text === undefined ? undefined : (JSON.parse(text) as StoredKey);
  }

  private async byHash(tenantId: string, hash: string): Promise<StoredKey | undefined> {
    for await (const id of this.ids(tenantId)) {
      const stored = await this.stored(tenantId, id);
      if (stored?.hash === hash) return stored;
    }
    return undefined;
  }

  private async *ids(tenantId: string): AsyncIterable<string> {
    const index = keys.apiKeyIndex(tenantId);
    let page = await this.store.documents.indexPage(index, '', PAGE);
    while (page.length > 0) {
      yield* page;
      page = await this.store.documents.indexPage(index, page.at(-1) ?? '', PAGE);
    }
  }

  /** The mapping goes first: whatever interrupts this, the key has stopped working. */
  private async drop(tenantId: string, id: string, hash: string | undefined): Promise<void> {
    if (hash !== undefined) await this.unmap(tenantId, hash);
    await this.store.documents.delete(keys.apiKeyRecord(tenantId, id), 'any');
    await this.store.documents.indexRemove(keys.apiKeyIndex(tenantId), id);
  }

  /** Deletes a mapping if it leads to this tenant; the version is that of a document holding just its id. */
  private unmap(tenantId: string, hash: string): Promise<boolean> {
    return this.store.documents.delete(keys.apiKeyMapping(hash), { version: versionOf(tenantId) });
  }
}
