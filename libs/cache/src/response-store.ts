import { keys, type Store } from '#libs/store';
import type { CacheKey } from './cache-key';
import { MemoryTier } from './memory-tier';
import { fateOf, type PurgeList } from './purge-list';
import { FollowedPurges } from './purges';
import { SharedTier, type SharedFind } from './shared-tier';
import type { StoredResponse } from './stored-response';
import type { Found, TenantShelf } from './tenant-shelf';

/** Where a response of a request lies, or would. */
export interface Located {
  readonly tenantId: string;
  readonly key: CacheKey;
  /** Of the request, flat: what variants are told apart by. */
  readonly headers: readonly string[];
}

interface Bounds {
  readonly memoryBytes: number;
  /** Of one tenant; 0 for none. */
  readonly redisBytes: number;
  /** How long purges that are known count while the store is away, milliseconds. */
  readonly maxStaleMs: number;
}

/** Stored responses: those in memory at once, those in Redis after a question; never one that was purged. */
export class ResponseStore {
  readonly memory: MemoryTier;
  readonly purges: FollowedPurges;
  private readonly shared: SharedTier | undefined;

  constructor(store: Store, { memoryBytes, redisBytes, maxStaleMs }: Bounds) {
    this.memory = new MemoryTier(memoryBytes);
    this.purges = new FollowedPurges(store, maxStaleMs);
    if (store.responses && redisBytes > 0) this.shared = new SharedTier(store.responses, redisBytes);
    store.changes.subscribe((key) => this.hear(key));
  }

  /** Nothing is stored at all. */
  get off(): boolean {
    return this.memory.maxBytes === 0;
  }

  shelf(tenantId: string): TenantShelf {
    return this.memory.shelf(tenantId);
  }

  find({ tenantId, key, headers }: Located, purges: PurgeList): Found {
    const shelf = this.memory.known(tenantId);
    if (!shelf) return 'uri-miss';
    const found = shelf.find(key, headers);
    if (typeof found === 'string' || found.compared === purges || survives(found, purges)) return found;
    shelf.remove(key, found);
    return 'uri-miss';
  }

  /** Whether replicas can be asked for what they have stored. */
  get shares(): boolean {
    return this.shared?.available ?? false;
  }

  /** What another replica has stored, which is kept in memory from now on; undefined if it cannot be asked for. */
  async findShared(located: Located, purges: PurgeList): Promise<SharedFind | undefined> {
    const { tenantId, key, headers } = located;
    const found = await this.shared?.find(tenantId, key, headers);
    const response = found?.response;
    if (!response) return found;
    if (!survives(response, purges) || response.retention(Date.now()) <= 0)
      return { response: undefined, mark: found.mark };
    this.memory.put(tenantId, key, headers, response);
    return found;
  }

  /**
   * @param moment of the shelf, when the upstream was asked.
   * @param mark as `findShared` gave it before the upstream was asked; undefined: not to be shared.
   * @returns false for what is too large, or was invalidated meanwhile.
   */
  put({ tenantId, key, headers }: Located, response: StoredResponse, moment: number, mark?: string): boolean {
    if (this.shelf(tenantId).isVoid(moment, key.uri)) return false;
    const stored = this.memory.put(tenantId, key, headers, response);
    if (stored && mark !== undefined) void this.shared?.put(tenantId, key, headers, response, mark);
    return stored;
  }

  /** Drops what is stored for URIs: at once here, as soon as they hear of it in other replicas. */
  invalidate(tenantId: string, uris: readonly string[]): void {
    const shelf = this.memory.known(tenantId);
    for (const uri of uris) shelf?.invalidate(uri);
    if (this.shares) void this.shared?.invalidate(tenantId, uris);
  }

  /** Forgets a tenant that is gone. */
  async drop(tenantId: string): Promise<void> {
    this.memory.drop(tenantId);
    await this.shared?.drop(tenantId);
  }

  sharedSize(tenantId: string): Promise<{ entries: number; bytes: number } | undefined> {
    return this.shared?.size(tenantId) ?? Promise.resolve(undefined);
  }

  private hear(key: string | undefined): void {
    const change = key === undefined ? undefined : keys.cacheChangeOf(key);
    if (!change) return;
    if (change.uri === '') this.memory.drop(change.tenantId);
    else this.memory.known(change.tenantId)?.invalidate(change.uri);
  }
}

/** Compared once with each list of purges. */
function survives(response: StoredResponse, purges: PurgeList): boolean {
  if (response.compared === purges) return true;
  const fate = fateOf(response, purges);
  if (fate === 'gone') return false;
  if (fate === 'stale') response.purged = true;
  response.compared = purges;
  return true;
}
