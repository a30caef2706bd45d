import { keys, versionOf, type Store } from '#libs/store';
import type { ApiKeyRecord } from './api-key';
import { parseKeyMapping, type KeyMapping } from './check-api-key';
import { MAX_ROUNDS } from './preconditions';
import { isWrongType } from './tenant-index';

/**
 * What lies under `gatehouse:{tenant}:key:{id}`: the digest under which the record is to be found, and what the key can
 * be recognised by when another program has deleted that. Never changes.
 */
interface Pointer extends Pick<ApiKeyRecord, 'id' | 'name' | 'prefix' | 'createdAt' | 'serviceId'> {
  hash: string;
}

/** A key that was made here, as it is stored now. */
export interface FoundKey {
  readonly hash: string;
  readonly record: ApiKeyRecord;
  /** Undefined where the digest leads to another tenant, to nothing, or to what cannot be understood. */
  readonly version: string | undefined;
}

const PAGE = 100;
/** Stands for a mapping that is no text. */
const UNREADABLE: unique symbol = Symbol('no text');

/**
 * The documents of API keys. A key is accepted while its mapping `tenant:byApiKey:{sha-256}` exists, whoever wrote that,
 * and that mapping holds the record. The previous version kept the record beside a mapping of plain text; such keys
 * are read as well, and get the new form when they are first changed.
 */
export class ApiKeyDocuments {
  constructor(private readonly store: Store) {}

  async find(tenantId: string, keyId: string): Promise<FoundKey | undefined> {
    const pointer = await this.pointer(tenantId, keyId);
    if (!pointer) return undefined;
    const { hash, id, name, prefix, createdAt, serviceId } = pointer;
    const text = await this.text(hash);
    const { record, tenantId: owner } = mappingOf(text);
    const version = owner === tenantId && typeof text === 'string' ? versionOf(text) : undefined;
    if (version !== undefined && record?.id === id) return { hash, record, version };
    const plain = version !== undefined && record === undefined;
    const remembered = { id, tenantId, serviceId, name, prefix, createdAt, enabled: plain };
    return { hash, record: remembered, version: plain ? version : undefined };
  }

  /** The key of a tenant by the hex SHA-256 of it, if it was made here. */
  async findByHash(tenantId: string, hash: string): Promise<FoundKey | undefined> {
    const mapping = await this.mapping(hash);
    if (mapping?.record) return this.find(tenantId, mapping.record.id);
    for await (const id of this.ids(keys.apiKeyIndex(tenantId))) {
      if ((await this.pointer(tenantId, id))?.hash === hash) return this.find(tenantId, id);
    }
    return undefined;
  }

  /** What lies under a digest, whoever wrote it; undefined where there is nothing. */
  async mapping(hash: string): Promise<KeyMapping | undefined> {
    const text = await this.text(hash);
    return text === undefined ? undefined : mappingOf(text);
  }

  /** @returns the version of the new record. */
  async create(record: ApiKeyRecord, hash: string): Promise<string> {
    const { documents } = this.store;
    const { id, tenantId, name, prefix, createdAt, serviceId } = record;
    const pointer: Pointer = { id, name, prefix, createdAt, serviceId, hash };
    const text = JSON.stringify(record);
    // The mapping comes last: a crash before it leaves a record of a key that was never accepted, not the reverse.
    await documents.put(keys.apiKeyRecord(tenantId, id), JSON.stringify(pointer), 'absent');
    for (const index of indexesOf(tenantId, serviceId)) await documents.indexAdd(index, id);
    await documents.put(keys.apiKeyMapping(hash), text, 'absent');
    return versionOf(text);
  }

  /** Writes a changed record unless it has changed since `version`; undefined means that it has. */
  async replace(record: ApiKeyRecord, { hash, version }: FoundKey): Promise<string | undefined> {
    if (version === undefined) return undefined;
    const text = JSON.stringify(record);
    const done = await this.store.documents.put(keys.apiKeyMapping(hash), text, { version });
    return done ? versionOf(text) : undefined;
  }

  /** Ends a key. The mapping goes first: whatever interrupts this, the key has stopped working. */
  async drop(tenantId: string, keyId: string): Promise<void> {
    const { documents } = this.store;
    const pointer = await this.pointer(tenantId, keyId);
    if (pointer) await this.unmap(tenantId, pointer.hash, true);
    await documents.delete(keys.apiKeyRecord(tenantId, keyId), 'any');
    for (const index of indexesOf(tenantId, pointer?.serviceId)) await documents.indexRemove(index, keyId);
  }

  /**
   * Deletes a mapping if it leads to this tenant.
   * @param ours whether it also goes when nobody can say where it leads.
   */
  async unmap(tenantId: string, hash: string, ours = false): Promise<boolean> {
    const key = keys.apiKeyMapping(hash);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const text = await this.text(hash);
      const owner = mappingOf(text).tenantId ?? (ours ? tenantId : undefined);
      if (text === undefined || owner !== tenantId) return false;
      const expected = text === UNREADABLE ? 'any' : { version: versionOf(text) };
      if (await this.store.documents.delete(key, expected)) return true;
    }
    throw new Error('the mapping of an API key keeps changing');
  }

  /** A page of ids; entries that an interrupted revocation left are removed on the way. */
  async page(tenantId: string, index: string, after: string, limit: number): Promise<Page> {
    const ids = await this.store.documents.indexPage(index, after, limit + 1);
    const page = ids.slice(0, limit);
    const found = await Promise.all(
      page.map(async (id) => {
        const key = await this.find(tenantId, id);
        // A pointer is written before its entry.
        if (!key) await this.store.documents.indexRemove(index, id);
        return key;
      }),
    );
    return {
      found: found.filter((key) => key !== undefined),
      next: ids.length > limit ? page.at(-1) : undefined,
    };
  }

  async *ids(index: string): AsyncIterable<string> {
    let page = await this.store.documents.indexPage(index, '', PAGE);
    while (page.length > 0) {
      yield* page;
      page = await this.store.documents.indexPage(index, page.at(-1) ?? '', PAGE);
    }
  }

  async pointer(tenantId: string, keyId: string): Promise<Pointer | undefined> {
    const text = await this.store.documents.get(keys.apiKeyRecord(tenantId, keyId));
    return text === undefined ? undefined : (JSON.parse(text) as Pointer);
  }

  private async text(hash: string): Promise<string | typeof UNREADABLE | undefined> {
    try {
      return await this.store.documents.get(keys.apiKeyMapping(hash));
    } catch (error) {
      if (isWrongType(error)) return UNREADABLE;
      throw error;
    }
  }
}

interface Page {
  found: FoundKey[];
  /** The id to go on from, if there are more. */
  next?: string;
}

function mappingOf(text: string | typeof UNREADABLE | undefined): KeyMapping {
  return typeof text === 'string'
    ? parseKeyMapping(text)
    : { problems: [{ field: '', message: 'is no text' }] };
}

function indexesOf(tenantId: string, serviceId: string | undefined): string[] {
  const all = keys.apiKeyIndex(tenantId);
  return serviceId === undefined ? [all] : [all, keys.serviceKeyIndex(tenantId, serviceId)];
}
