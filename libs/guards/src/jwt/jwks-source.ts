import { GatewayError } from '#libs/errors';
import type { Logger } from '#libs/logging';
import { parseKeySet, succeed, type KeySet, type VerificationKey } from './key-set';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** A key that was withdrawn goes on counting for at most this long while the endpoint answers. */
const REFRESH_AFTER_MS = 10 * MINUTE;
/** … and for at most this long while it does not: an hour is an outage, more is an issuer that is gone. */
const TRUST_FOR_MS = 60 * MINUTE;
/** Anybody can invent key ids; this is what all inventions together may cost the identity provider. */
const REFETCH_INTERVAL_MS = 30 * SECOND;
/** Without keys nobody gets in, so the endpoint is tried this often while somebody asks. */
const RETRY_INTERVAL_MS = SECOND;

const NO_KEYS: readonly VerificationKey[] = [];

export interface JwksSourceOptions {
  /** Gets the text of the key set; rejects with a message for the log. */
  fetch: () => Promise<string>;
  logger: Pick<Logger, 'info' | 'warn'>;
  now: () => number;
}

/** The keys published at one place: how fresh they are, and how often the endpoint may be asked. */
export class JwksSource {
  /** When the keys were fetched, 0 if never, and when they were last asked for; milliseconds since the epoch. */
  fetchedAt = 0;
  usedAt = 0;

  private keys: KeySet = new Map();
  private trustedUntil = 0;
  private refreshAt = 0;
  /** No fetch before this for a `kid` that nobody published. */
  private refetchAt = 0;
  /** No fetch before this because the last one failed. */
  private retryAt = 0;
  private failing = false;
  private fetching: Promise<void> | undefined;

  constructor(
    readonly url: string,
    private readonly options: JwksSourceOptions,
    readonly issuer = '',
  ) {}

  /** Whether a verdict that rests on `key` still holds. Asked for every request, so it must cost next to nothing. */
  vouchesFor(key: VerificationKey, now: number): boolean {
    this.usedAt = now;
    if (now >= this.refreshAt) void this.fetchOnce();
    return !key.retired && now < this.trustedUntil;
  }

  /** The keys of that `kid` if they are here and need no word from the endpoint. */
  known(kid: string): readonly VerificationKey[] | undefined {
    const now = this.options.now();
    this.usedAt = now;
    return now < this.trustedUntil && now < this.refreshAt ? this.keys.get(kid) : undefined;
  }

  /**
   * The keys of that `kid`; none if the issuer does not publish it.
   * @throws GatewayError `jwks_unavailable` when that cannot be said because the endpoint fails.
   */
  async keysFor(kid: string): Promise<readonly VerificationKey[]> {
    const now = this.options.now();
    if (now >= this.trustedUntil) return this.firstKeysFor(kid, now);
    if (now >= this.refreshAt) void this.fetchOnce();
    return this.keys.get(kid) ?? this.newKeysFor(kid, now);
  }

  private async firstKeysFor(kid: string, now: number): Promise<readonly VerificationKey[]> {
    if (!this.fetching && now < this.retryAt) throw unavailable(this.retryAt - now);
    await this.fetchOnce();
    if (this.failing) throw unavailable(RETRY_INTERVAL_MS);
    const found = this.keys.get(kid);
    // The set is new: asking again at once for an id that is not in it would be a second fetch for nothing.
    if (found === undefined) this.refetchAt = this.options.now() + REFETCH_INTERVAL_MS;
    return found ?? NO_KEYS;
  }

  /** An unknown `kid` may be the first sign of a new key, or an invention. */
  private async newKeysFor(kid: string, now: number): Promise<readonly VerificationKey[]> {
    if (!this.fetching) {
      if (now < this.refetchAt) {
        if (this.failing) throw unavailable(this.refetchAt - now);
        return NO_KEYS;
      }
      this.refetchAt = now + REFETCH_INTERVAL_MS;
    }
    await this.fetchOnce();
    const found = this.keys.get(kid);
    if (found === undefined && this.failing) throw unavailable(this.refetchAt - this.options.now());
    return found ?? NO_KEYS;
  }

  /** Single-flight; never rejects: the outcome is in the fields. */
  private fetchOnce(): Promise<void> {
    this.fetching ??= this.fetch().finally(() => (this.fetching = undefined));
    return this.fetching;
  }

  private async fetch(): Promise<void> {
    const { fetch, now } = this.options;
    try {
      this.keys = succeed(this.keys, parseKeySet(await fetch()));
      const fetchedAt = now();
      this.fetchedAt = fetchedAt;
      this.refreshAt = fetchedAt + REFRESH_AFTER_MS;
      this.trustedUntil = fetchedAt + TRUST_FOR_MS;
      this.report(undefined);
    } catch (error) {
      const failedAt = now();
      this.retryAt = failedAt + RETRY_INTERVAL_MS;
      this.refreshAt = Math.max(this.refreshAt, failedAt + REFETCH_INTERVAL_MS);
      this.report(error);
    }
  }

  /** Says when an endpoint begins to fail and when it is back, not every attempt in between. */
  private report(error: unknown): void {
    const { logger } = this.options;
    const wasFailing = this.failing;
    this.failing = error !== undefined;
    if (this.failing === wasFailing) return;
    // Without its query: some providers put an access key there.
    const jwksUri = this.url.replace(/[?#].*$/s, '');
    if (!this.failing) logger.info({ category: 'auth', jwksUri }, 'JWKS endpoint is back');
    else logger.warn({ category: 'auth', jwksUri, reason: (error as Error).message }, 'JWKS endpoint fails');
  }
}

/** The refusal of what cannot be judged without the identity provider. */
export function unavailable(waitMs: number): GatewayError {
  const seconds = Math.max(1, Math.ceil(waitMs / SECOND));
  return new GatewayError('jwks_unavailable', undefined, { headers: { 'Retry-After': String(seconds) } });
}
