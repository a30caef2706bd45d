import { keys, type Store } from '#libs/store';
import { usability, type Usability } from './freshness';
import { fateOf, parsePurges, type PurgeList } from './purge-list';
import type { RequestFields } from './request-fields';
import type { Located, ResponseStore } from './response-store';
import { SharedTier } from './shared-tier';
import type { StoredResponse } from './stored-response';

/** Where responses may be stored, as far as a process can see. */
export interface Visible {
  readonly store: Pick<Store, 'documents' | 'responses'>;
  /** Of a data plane in the same process. */
  readonly local: ResponseStore | undefined;
  /** For each tenant in Redis; 0: nothing is stored there. */
  readonly redisBytes: number;
}

/** A stored response that was found, and what may be done with it for one request. */
export interface Peeked {
  readonly response: StoredResponse;
  readonly tier: 'memory' | 'redis';
  readonly use: Usability;
  readonly purged: boolean;
}

/** What the cache would find, without a trace: nothing is kept, marked as used or removed. */
export class Peek {
  /** The places that are looked into. */
  readonly tiers: ReadonlyArray<Peeked['tier']>;
  private readonly shared: SharedTier | undefined;

  constructor(private readonly visible: Visible) {
    const { store, local, redisBytes } = visible;
    if (store.responses?.available && redisBytes > 0)
      this.shared = new SharedTier(store.responses, redisBytes);
    this.tiers = [...(local ? ['memory' as const] : []), ...(this.shared ? ['redis' as const] : [])];
  }

  /** @throws StoreUnavailableError where purges cannot be read; nothing is answered from the store then */
  async find(located: Located, { directives }: RequestFields): Promise<Peeked | undefined> {
    const { tenantId, key, headers } = located;
    const { store, local } = this.visible;
    const purges = parsePurges(await store.documents.get(keys.cachePurges(tenantId)));
    const seen = (response: StoredResponse, tier: Peeked['tier']): Peeked | undefined => {
      const purged = purgedBy(response, purges);
      if (purged === undefined) return undefined;
      const age = response.age(Date.now());
      return { response, tier, purged, use: usability({ terms: response.terms, purged }, age, directives) };
    };
    const kept = local?.memory.known(tenantId)?.peek(key, headers);
    const own = kept && seen(kept, 'memory');
    // Only for what memory does not have, or has in no usable state.
    if (own && own.use !== 'validate') return own;
    const theirs = (await this.shared?.find(tenantId, key, headers))?.response;
    const newer = theirs && theirs.storedAt > (own?.response.storedAt ?? 0) ? theirs : undefined;
    return (newer && seen(newer, 'redis')) ?? own;
  }
}

/** Undefined for a response that is gone. */
function purgedBy(response: StoredResponse, purges: PurgeList): boolean | undefined {
  const fate = fateOf(response, purges);
  return fate === 'gone' ? undefined : response.purged || fate === 'stale';
}
