import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { GatewayError } from '#libs/errors';
import type { BucketVerdict } from '#libs/store';
import type { ServedTenant } from '#libs/tenants';
import { RateLimiter } from './rate-limiter';
import { requestOf, type RequestContext } from './request-context';

/**
 * Lets a verdict pass or refuses with when to come back.
 * @throws GatewayError rate_limited, with Retry-After (RFC 9110 §10.2.3) and the RateLimit fields
 */
export function enforceRateLimit(verdict: BucketVerdict, tenant: ServedTenant): void {
  if (verdict.allowed) return;
  const seconds = Math.max(1, Math.ceil(verdict.retryAfterMs / 1000));
  throw new GatewayError('rate_limited', `try again in ${seconds} s`, {
    headers: {
      'Retry-After': String(seconds),
      RateLimit: `"tenant";r=${verdict.remaining};t=${seconds}`,
      'RateLimit-Policy': `"tenant";q=${tenant.bucket.capacity};w=${tenant.windowSeconds}`,
    },
  });
}

/** Last of the request path: how often. Last, so that refused requests cost their tenant nothing. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(private readonly limiter: RateLimiter) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const { context } = requestOf(execution);
    context.judge = 'rate_limit';
    const { tenant } = context;
    if (!tenant) throw new Error('RateLimitGuard ran before ApiKeyGuard');
    const verdict = this.limiter.take(tenant.bucket);
    if (verdict instanceof Promise) return verdict.then((decided) => settle(context, tenant, decided));
    return settle(context, tenant, verdict);
  }
}

function settle(context: RequestContext, tenant: ServedTenant, verdict: BucketVerdict): true {
  context.bucket = verdict;
  enforceRateLimit(verdict, tenant);
  context.judge = 'upstream';
  return true;
}
