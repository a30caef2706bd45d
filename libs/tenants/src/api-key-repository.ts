import { GatewayError } from '#libs/errors';
import { keys, type Store } from '#libs/store';
import {
  hasEnded,
  patchedRecord,
  termsOfNew,
  termsOfSuccessor,
  type ApiKeyFields,
  type ApiKeyPatch,
  type ApiKeyRecord,
  type ApiKeyTerms,
  type CreatedApiKey,
  type ListedApiKey,
  type RotatedApiKey,
  type StoredApiKey,
} from './api-key';
import { ApiKeyDocuments, type FoundKey } from './api-key-documents';
import { generateApiKey, hashApiKey, modeOf, type KeyMode } from './api-key-format';
import { checkApiKeyFields, type KeyMapping } from './check-api-key';
import { parseService } from './check-service';
import { checkWhole, type Report } from './field-checks';
import { MAX_ROUNDS, demandVersion, invalid, refuseInvalid, requireTenant } from './preconditions';
import { sortableId } from './sortable-id';

/** `gh_live_` and 24 of the 256 random bits. */
const SHOWN_LENGTH = 12;
const SHA256_HEX = /^[0-9a-f]{64}$/;
/** A rotation that takes longer than a quarter of a year is none. */
const MAX_GRACE_SECONDS = 92 * 86_400;

type Versions = readonly string[] | undefined;

/** The control plane's API keys: versioned records, every write compared with what was read. */
export class ApiKeyRepository {
  private readonly documents: ApiKeyDocuments;

  constructor(private readonly store: Store) {
    this.documents = new ApiKeyDocuments(store);
  }

  /**
   * Makes a key. It is returned here and never again.
   * @param fields a text is the name of a key with nothing special.
   * @throws GatewayError tenant_not_found, service_not_found or validation_failed
   */
  async create(tenantId: string, fields: ApiKeyFields | string): Promise<CreatedApiKey> {
    const wanted = typeof fields === 'string' ? { name: fields } : fields;
    await requireTenant(this.store, tenantId);
    refuseInvalid(checkApiKeyFields(wanted, 'create'));
    await this.requireService(tenantId, wanted.serviceId);
    return this.make(termsOfNew(tenantId, wanted), wanted.mode);
  }

  /**
   * @param keyId id of a record, or the hex SHA-256 of a key with a record.
   * @throws GatewayError tenant_not_found or api_key_not_found
   */
  async get(tenantId: string, keyId: string): Promise<StoredApiKey> {
    return shown(await this.require(tenantId, keyId));
  }

  /** What lies under the hex SHA-256 of a key, whoever wrote it; undefined where there is nothing. */
  byHash(hash: string): Promise<KeyMapping | undefined> {
    return this.documents.mapping(hash);
  }

  /**
   * Up to `limit` keys made after the one named `after`, and the name to go on from, if there are more.
   * @param filter only keys that open this service and nothing else.
   * @throws GatewayError tenant_not_found
   */
  async list(
    tenantId: string,
    after: string,
    limit: number,
    filter: { serviceId?: string } = {},
  ): Promise<{ apiKeys: ListedApiKey[]; next?: string }> {
    await requireTenant(this.store, tenantId);
    const { found, next } = await this.documents.page(tenantId, indexOf(tenantId, filter), after, limit);
    return { apiKeys: found.map((key) => ({ ...key.record, active: isActive(key) })), next };
  }

  /** How many keys `list` has in all its pages. */
  count(tenantId: string, filter: { serviceId?: string } = {}): Promise<number> {
    return this.store.documents.indexSize(indexOf(tenantId, filter));
  }

  /**
   * Changes a key, on every replica as fast as the change feed carries it.
   * @param versions of which the stored one must be one; absent demands nothing.
   * @throws GatewayError tenant_not_found, api_key_not_found, validation_failed, precondition_failed, or conflict for a
   *   key that another program has withdrawn
   */
  async update(
    tenantId: string,
    keyId: string,
    patch: ApiKeyPatch,
    versions?: Versions,
  ): Promise<StoredApiKey> {
    refuseInvalid(checkApiKeyFields(patch, 'patch'));
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = await this.require(tenantId, keyId);
      demandVersion(before.version, versions);
      unlessWithdrawn(before);
      const record = patchedRecord(before.record, patch);
      const version = await this.documents.replace(record, before);
      if (version !== undefined) return shown({ ...before, record, version });
    }
    throw new GatewayError('precondition_failed', 'others kept changing the API key at the same time');
  }

  /** Lets a key be used again; see `update`. */
  enable(tenantId: string, keyId: string, versions?: Versions): Promise<StoredApiKey> {
    return this.update(tenantId, keyId, { enabled: true }, versions);
  }

  /** Refuses a key until it is enabled; see `update`. */
  disable(tenantId: string, keyId: string, versions?: Versions): Promise<StoredApiKey> {
    return this.update(tenantId, keyId, { enabled: false }, versions);
  }

  /**
   * Makes a key like another one, which goes on working beside it for the time of grace and not a millisecond longer.
   * @param options graceSeconds: 0 ends the old key at once.
   * @throws GatewayError tenant_not_found, api_key_not_found, validation_failed, or conflict for a key that has been
   *   rotated, has ended or was withdrawn
   */
  async rotate(
    tenantId: string,
    keyId: string,
    { graceSeconds }: { graceSeconds: number },
  ): Promise<RotatedApiKey> {
    const refuse: Report = (field, message) => {
      throw invalid([{ field, message }]);
    };
    checkWhole(graceSeconds, 'graceSeconds', 0, MAX_GRACE_SECONDS, refuse);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const old = await this.require(tenantId, keyId);
      unlessWithdrawn(old);
      unlessEnded(old.record);
      // First the new key, of which nobody knows yet: whatever interrupts this, the old one is not lost without it.
      const made = await this.make(termsOfSuccessor(old.record), modeOf(old.record.prefix));
      const validUntil = new Date(Date.now() + graceSeconds * 1000).toISOString();
      const ended = { ...old.record, validUntil, replacedBy: made.record.id };
      if (await this.ended(ended, old, made)) return { ...made, changed: keys.apiKeyMapping(old.hash) };
      // Somebody else changed or rotated it at the same time; the next round tells.
      await this.documents.drop(tenantId, made.record.id);
    }
    throw new GatewayError('conflict', 'others kept changing the API key at the same time');
  }

  /**
   * Ends a key, on every replica as fast as the change feed carries it.
   * @param keyId id of a record, or the hex SHA-256 of a key that another program has mapped to this tenant.
   * @returns under which its document lay in the store.
   * @throws GatewayError tenant_not_found or api_key_not_found, also for the key of another tenant
   */
  async revoke(tenantId: string, keyId: string): Promise<string> {
    await requireTenant(this.store, tenantId);
    const found = await this.find(tenantId, keyId);
    if (found) {
      await this.documents.drop(tenantId, found.record.id);
      return keys.apiKeyMapping(found.hash);
    }
    const unmapped = SHA256_HEX.test(keyId) && (await this.documents.unmap(tenantId, keyId));
    if (!unmapped) throw new GatewayError('api_key_not_found');
    return keys.apiKeyMapping(keyId);
  }

  /**
   * Ends the keys that a tenant had before `time` (milliseconds since the epoch): its successor under the same id
   * must not be opened by them.
   */
  async revokeAllBefore(tenantId: string, time: number): Promise<void> {
    for await (const id of this.documents.ids(keys.apiKeyIndex(tenantId))) {
      const pointer = await this.documents.pointer(tenantId, id);
      if (pointer && Date.parse(pointer.createdAt) > time) continue;
      await this.documents.drop(tenantId, id);
    }
  }

  /** Ends the keys that open one service only, when that is gone. */
  async revokeAllOf(tenantId: string, serviceId: string): Promise<void> {
    const index = keys.serviceKeyIndex(tenantId, serviceId);
    for await (const id of this.documents.ids(index)) await this.documents.drop(tenantId, id);
    await this.store.documents.indexDrop(index);
  }

  private async make(terms: ApiKeyTerms, mode?: KeyMode): Promise<CreatedApiKey> {
    const apiKey = generateApiKey(mode);
    const now = new Date();
    const record = {
      id: sortableId(now.getTime()),
      prefix: apiKey.slice(0, SHOWN_LENGTH),
      createdAt: now.toISOString(),
      ...terms,
    };
    const version = await this.documents.create(record, hashApiKey(apiKey));
    await this.withdrawIfOrphaned(record);
    return { record, version, apiKey };
  }

  /** The tenant or the service may have been removed meanwhile, after their other keys had been collected. */
  private async withdrawIfOrphaned({ tenantId, id, serviceId }: ApiKeyRecord): Promise<void> {
    try {
      await requireTenant(this.store, tenantId);
      await this.requireService(tenantId, serviceId);
    } catch (error) {
      if (error instanceof GatewayError) await this.documents.drop(tenantId, id);
      throw error;
    }
  }

  /** Whether a key was given its end; one that is refused it has no successor either. */
  private async ended(record: ApiKeyRecord, old: FoundKey, successor: CreatedApiKey): Promise<boolean> {
    try {
      return (await this.documents.replace(record, old)) !== undefined;
    } catch (error) {
      if (error instanceof GatewayError) await this.documents.drop(record.tenantId, successor.record.id);
      throw error;
    }
  }

  private async requireService(tenantId: string, id: string | undefined): Promise<void> {
    if (id === undefined) return;
    const text = await this.store.documents.get(keys.service(id));
    const service = text === undefined ? undefined : parseService(id, text).service;
    if (service?.tenantId !== tenantId) throw new GatewayError('service_not_found');
  }

  private async require(tenantId: string, keyId: string): Promise<FoundKey> {
    await requireTenant(this.store, tenantId);
    const found = await this.find(tenantId, keyId);
    if (!found) throw new GatewayError('api_key_not_found');
    return found;
  }

  private find(tenantId: string, keyId: string): Promise<FoundKey | undefined> {
    return SHA256_HEX.test(keyId)
      ? this.documents.findByHash(tenantId, keyId)
      : this.documents.find(tenantId, keyId);
  }
}

function shown(key: FoundKey): StoredApiKey {
  const { record, version, hash } = key;
  return { record, active: isActive(key), version, document: keys.apiKeyMapping(hash) };
}

function isActive({ record, version }: FoundKey): boolean {
  return version !== undefined && record.enabled && !hasEnded(record, Date.now());
}

function unlessWithdrawn({ version }: FoundKey): void {
  if (version === undefined) throw new GatewayError('conflict', 'another program has withdrawn the API key');
}

function unlessEnded(record: ApiKeyRecord): void {
  if (record.replacedBy !== undefined)
    throw new GatewayError('conflict', 'the API key has been rotated already');
  if (hasEnded(record, Date.now())) throw new GatewayError('conflict', 'the API key has expired');
}

function indexOf(tenantId: string, { serviceId }: { serviceId?: string }): string {
  return serviceId === undefined ? keys.apiKeyIndex(tenantId) : keys.serviceKeyIndex(tenantId, serviceId);
}
