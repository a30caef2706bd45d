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
  if (why !== 'attempts' && why !== 'time' && why !== 'budget') return undefined;
  const seconds = Math.max(1, Math.ceil(Math.max(policy.maxBackoffMs, putOffMs) / 1000));
  const headers = { 'Retry-After': String(seconds) };
  return new GatewayError('retries_exhausted', undefined, { cause, headers });
}
