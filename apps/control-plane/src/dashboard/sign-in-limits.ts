import { GatewayError } from '#libs/errors';
import { clientOf } from '#libs/guards';
import { keys, type Bucket, type Store } from '#libs/store';

const WINDOW_MS = 60_000;
/** In a minute, of one client: attempts, and those of them that fail. */
const MAX_ATTEMPTS = 30;
const MAX_FAILURES = 10;

/** Bounds how often one client may try tokens, at all control planes together. */
export class SignInLimits {
  constructor(private readonly store: Pick<Store, 'limits'>) {}

  /**
   * Counts an attempt, as a failed one until it is said that it was none.
   * @returns says so.
   * @throws GatewayError rate_limited; StoreUnavailableError, for whoever cannot count does not let in
   */
  async attempt(clientAddress: string): Promise<() => Promise<void>> {
    const client = clientOf(clientAddress);
    const failures = bucket(`${client}:failed`, MAX_FAILURES);
    const { allowed, verdicts } = await this.store.limits.take([bucket(client, MAX_ATTEMPTS), failures]);
    if (!allowed) {
      const waitMs = Math.max(...verdicts.map(({ retryAfterMs }) => retryAfterMs));
      const headers = { 'Retry-After': String(Math.max(1, Math.ceil(waitMs / 1000))) };
      throw new GatewayError('rate_limited', 'too many attempts to sign in', { headers });
    }
    return async () => void (await this.store.limits.charge([[failures, -1]]));
  }
}

function bucket(client: string, capacity: number): Bucket {
  return { key: keys.signIns(client), capacity, windowMs: WINDOW_MS };
}
