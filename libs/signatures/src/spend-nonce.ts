import { GatewayError } from '#libs/errors';
import { StoreUnavailableError, keys, type Store } from '#libs/store';
import { DEFAULT_SIGNATURE_TOLERANCE_SECONDS, type InboundSignature } from '#libs/tenants';
import { refused } from './judge-signature';
import type { Signature } from './signature-header';

/** How far the clocks of replicas may be apart without a nonce being forgotten by one before another refuses its time. */
const CLOCK_MARGIN_MS = 60_000;

type Remembered = Pick<Signature, 'keyId' | 'nonce' | 'timestamp'>;

/** How long a nonce must be remembered: until its signature has expired by every clock. */
export function memoryMs(timestamp: string, { toleranceSeconds }: InboundSignature, now: number): number {
  const toleranceMs = (toleranceSeconds ?? DEFAULT_SIGNATURE_TOLERANCE_SECONDS) * 1000;
  return Number(timestamp) * 1000 + toleranceMs - now + CLOCK_MARGIN_MS;
}

/**
 * Spends the nonce of a signature that holds, once in all replicas. Fails closed: without the store nobody can say whether
 * a request is sent for the first time.
 * @param now milliseconds since the epoch.
 * @throws GatewayError signature_replayed, signature_expired, store_unavailable; also as a rejection
 */
export function spendNonce(
  { nonces }: Pick<Store, 'nonces'>,
  tenantId: string,
  signature: Remembered,
  policy: InboundSignature,
  now: number,
): true | Promise<true> {
  const { keyId, nonce, timestamp } = signature;
  // What a memory that began later was asked about before, it has forgotten.
  if (Number(timestamp) * 1000 < nonces.since)
    throw refused('signature_expired', 'the request was signed before this gateway started: sign it again');
  const key = keys.signatureNonce(tenantId, keyId, nonce);
  const fresh = nonces.spend(key, memoryMs(timestamp, policy, now));
  return fresh instanceof Promise ? fresh.then(demand, unavailable) : demand(fresh);
}

function demand(fresh: boolean): true {
  if (!fresh) throw refused('signature_replayed', 'the request was sent before: sign it again');
  return true;
}

function unavailable(error: unknown): never {
  if (!(error instanceof StoreUnavailableError)) throw error;
  throw new GatewayError('store_unavailable', undefined, { cause: error, headers: { 'Retry-After': '1' } });
}
