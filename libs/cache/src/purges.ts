import { GatewayError } from '#libs/errors';
import { keys, versionOf, type Store } from '#libs/store';
import { FollowedCache, MAX_ROUNDS } from '#libs/tenants';
import { parsePurges, withPurge, type Purge, type PurgeList } from './purge-list';

const MAX_TENANTS = 65_536;

/** The purges of all tenants as every replica follows them: at once from memory, as long as the change feed vouches for it. */
export class FollowedPurges {
  private readonly lists: FollowedCache<PurgeList>;

  /** @param maxStaleMs how long what is known counts while the store is away. */
  constructor(store: Store, maxStaleMs: number) {
    const read = async (tenantId: string): Promise<PurgeList> =>
      parsePurges(await store.documents.get(keys.cachePurges(tenantId)));
    this.lists = new FollowedCache(store, read, MAX_TENANTS, maxStaleMs);
    store.changes.subscribe((key) => {
      const tenantId = key === undefined ? undefined : keys.purgedTenantOf(key);
      if (key === undefined || tenantId !== undefined) this.lists.invalidate(tenantId);
    });
  }

  /** @throws GatewayError store_unavailable; also as a rejection */
  of(tenantId: string): PurgeList | Promise<PurgeList> {
    // A tenant without a document has an empty list, so there always is one.
    return this.lists.get(tenantId) as PurgeList | Promise<PurgeList>;
  }
}

/**
 * Adds a purge to those of a tenant; replicas follow by the change feed.
 * @returns the key of the document, for whoever waits until they have.
 */
export async function addPurge(
  store: Store,
  tenantId: string,
  purge: Omit<Purge, 'number'>,
): Promise<string> {
  const key = keys.cachePurges(tenantId);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const text = await store.documents.get(key);
    const parsed = parsePurges(text);
    // A document of somebody else's making is replaced: numbers go on from a place that none of ours has reached.
    const list =
      parsed.latest === Number.MAX_SAFE_INTEGER
        ? { latest: Date.now(), floor: Date.now(), purges: [] }
        : parsed;
    const next = JSON.stringify(withPurge(list, purge));
    if (await store.documents.put(key, next, text === undefined ? 'absent' : { version: versionOf(text) }))
      return key;
  }
  throw new GatewayError('conflict', 'others kept purging at the same time');
}
