import { GatewayError } from '#libs/errors';
import type { ServedRetries } from '#libs/tenants';
import type { Withheld } from './retry-observation';

/**
 * What a failure becomes when retries would have been right and are used up: itself, or what the policy says.
 * @param putOffMs what the upstream has asked for.
 */
export function retriesExhausted(
  policy: ServedRetries,
  why: Withheld,
  cause?: GatewayError,
  putOffMs = 0,
): GatewayError | undefined {
  if (policy.exhaustedStatus === undefined) return undefined;
  if (why !== 'attempts' && why !== 'time' && why !== 'budget' && why !== 'breaker') return undefined;
  return exhaustedWith(policy, cause, putOffMs);
}

/** Where there is nothing else to answer with. */
export function exhaustedWith(policy: ServedRetries, cause?: GatewayError, putOffMs = 0): GatewayError {
  const seconds = Math.max(1, Math.ceil(Math.max(policy.maxBackoffMs, putOffMs) / 1000));
  const headers = { 'Retry-After': String(seconds) };
  return new GatewayError('retries_exhausted', undefined, { cause, headers });
}
