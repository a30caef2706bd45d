import type { Store } from '#libs/store';
import { keys } from '#libs/store';
import { FollowedCache } from '#libs/tenants';
import type { RevocationDirectory } from './jwt/own-tokens';

/** Some 0.2 kB each. */
const MAX_ENTRIES = 65_536;

/**
 * Which service tokens were taken back, as the store has it: cached, and following every change of it. A record that cannot
 * be read counts as a revocation; a token without one was signed elsewhere with the same secret, and cannot have been revoked.
 */
export class StoredRevocations implements RevocationDirectory {
  private readonly revoked: FollowedCache<{ revoked: boolean }>;

  /** @param maxStaleMs how long what is known counts while the store is away. */
  constructor(store: Store, maxStaleMs: number) {
    const read = async (jti: string): Promise<{ revoked: boolean } | undefined> => {
      const text = await store.documents.get(keys.serviceToken(jti));
      return text === undefined ? undefined : { revoked: isRevoked(text) };
    };
    this.revoked = new FollowedCache(store, read, MAX_ENTRIES, maxStaleMs);
    store.changes.subscribe((key) => {
      const jti = key === undefined ? undefined : keys.tokenIdOf(key);
      if (key === undefined || jti !== undefined) this.revoked.invalidate(jti);
    });
  }

  check(jti: string): boolean | Promise<boolean> {
    const found = this.revoked.get(jti);
    if (found instanceof Promise) return found.then((record) => record?.revoked ?? false);
    return found?.revoked ?? false;
  }
}

function isRevoked(text: string): boolean {
  try {
    const record = JSON.parse(text) as { revoked?: unknown } | null;
    return typeof record !== 'object' || record === null || record.revoked !== undefined;
  } catch {
    return true;
  }
}
