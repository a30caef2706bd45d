import type { Logger } from '#libs/logging';
import { keys, type Store } from '#libs/store';
import { FollowedCache, isWrongType } from '#libs/tenants';
import { isTokenId, takesBack } from './token-record';

/** An entry costs some 0.2 kB. */
const MAX_ENTRIES = 262_144;

/**
 * Which tokens were taken back, as the data plane asks: from memory for every token that was seen before. What that
 * costs does not depend on how many tokens were revoked.
 */
export class TokenRevocations {
  /**
   * That there is no record is an answer like any other, and kept as one: tokens of other issuers that share our secret
   * have none, and go on working while the store is away. Nobody can push others out by guessing, for a `jti` gets
   * here only with a good signature.
   */
  private readonly revoked: FollowedCache<boolean>;

  /**
   * @param maxStaleMs how long an answer may be used while the store is away.
   * @param maxEntries bound of the answers that are kept.
   */
  constructor(
    private readonly store: Store,
    private readonly logger: Pick<Logger, 'error'>,
    maxStaleMs: number,
    maxEntries = MAX_ENTRIES,
  ) {
    this.revoked = new FollowedCache(store, (jti) => this.read(jti), maxEntries, maxStaleMs);
    store.changes.subscribe((key) => {
      const jti = key === undefined ? undefined : keys.tokenIdOf(key);
      if (key === undefined || jti !== undefined) this.revoked.invalidate(jti);
    });
  }

  /**
   * Whether a token was taken back; at once when that is known, which is nearly always.
   * @throws GatewayError store_unavailable when it is not known and the store is away. Also as a rejection.
   */
  check(jti: string): boolean | Promise<boolean> {
    if (!isTokenId(jti)) return true;
    const known = this.revoked.get(jti);
    return known instanceof Promise ? known.then(isTrue) : isTrue(known);
  }

  private async read(jti: string): Promise<boolean> {
    try {
      const text = await this.store.documents.get(keys.serviceToken(jti));
      return text !== undefined && takesBack(text);
    } catch (error) {
      if (!isWrongType(error)) throw error;
      this.logger.error({ jti, reason: error.message }, 'the stored record of a token cannot be read');
      return true;
    }
  }
}

function isTrue(value: boolean | undefined): boolean {
  return value === true;
}
