import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { GatewayError, type ErrorCode } from '#libs/errors';
import { StoreUnavailableError, isBudget, type ClaimVerdict, type Limit } from '#libs/store';
import { RateLimiter } from './rate-limiter';
import { levelsOf, limitsOf, secondsUntilMore, type LimitName, type RequestLimits } from './request-limits';
import { requestOf, type RequestContext } from './request-context';

const REFUSALS: Partial<Record<LimitName, ErrorCode>> = {
  quota: 'quota_exceeded',
  spend_cap: 'spend_cap_reached',
};

/**
 * Lets a verdict pass or refuses with when to come back.
 * @throws GatewayError rate_limited, quota_exceeded or spend_cap_reached, with Retry-After (RFC 9110 §10.2.3)
 */
export function enforceLimits(limits: RequestLimits, verdict: ClaimVerdict, now: number = Date.now()): void {
  if (verdict.allowed) return;
  const refusing = verdict.verdicts.findIndex(({ allowed }) => !allowed);
  const name = limits.names[refusing] ?? 'tenant';
  const wait = verdict.verdicts.map(({ allowed, retryAfterMs }, i) =>
    allowed ? 0 : secondsUntilMore(limits.claim[i] as Limit, retryAfterMs, now),
  );
  const seconds = Math.max(1, ...wait);
  // Money comes back when somebody says so, not at a time.
  const waiting = name !== 'spend_cap';
  throw new GatewayError(
    REFUSALS[name] ?? 'rate_limited',
    waiting ? `the limit of the ${name}: try again in ${seconds} s` : undefined,
    {
      headers: {
        ...(waiting && { 'Retry-After': String(seconds) }),
        ...Object.fromEntries(pairs(limitHeaders(limits, verdict, now))),
      },
    },
  );
}

/** RateLimit and RateLimit-Policy, and the older X-RateLimit-* of the limit that is nearest to its end. Flat. */
export function limitHeaders(limits: RequestLimits, verdict: ClaimVerdict, now: number): string[] {
  const { verdicts } = verdict;
  let nearest = 0;
  for (let i = 1; i < verdicts.length; i++) {
    const less = (verdicts[i]?.remaining ?? Infinity) < (verdicts[nearest]?.remaining ?? Infinity);
    if (less && limits.names[i] !== 'spend_cap') nearest = i;
  }
  const limit = limits.claim[nearest] as Limit;
  const { remaining = 0, retryAfterMs = 0 } = verdicts[nearest] ?? {};
  // prettier-ignore
  return [
    'RateLimit-Policy', limits.policy,
    'RateLimit', levelsOf(limits, verdict, now),
    'X-RateLimit-Limit', String(limit.capacity),
    'X-RateLimit-Remaining', String(remaining),
    'X-RateLimit-Reset', String(secondsUntilMore(limit, retryAfterMs, now)),
  ];
}

/** Last of the request path: how often. Last, so that refused requests cost their tenant nothing. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(private readonly limiter: RateLimiter) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const { context } = requestOf(execution);
    context.enter('rate_limit');
    const { caller, service, route, published, clientAddress } = context;
    const place = service ?? route;
    if (!caller || !place) throw new Error('RateLimitGuard ran before RouteGuard');
    const limits = limitsOf(caller, place, Date.now(), published, clientAddress);
    context.limits = limits;
    const verdict = this.limiter.take(limits.claim);
    if (verdict instanceof Promise)
      return verdict.then((decided) => this.settleLate(context, limits, decided), giveUp);
    return settle(context, limits, verdict);
  }

  /**
   * Its client may have gone while the store was asked, and whoever gives back what a request took and did not use has been
   * here by then: money and quota of a request that nobody makes any more would be gone with it.
   * @throws GatewayError client_gone
   */
  private settleLate(context: RequestContext, limits: RequestLimits, verdict: ClaimVerdict): true {
    if (!context.over) return settle(context, limits, verdict);
    if (verdict.allowed)
      for (const limit of limits.claim) if (isBudget(limit)) this.limiter.refund(limit, limit.cost);
    throw new GatewayError('client_gone');
  }
}

function settle(context: RequestContext, limits: RequestLimits, verdict: ClaimVerdict): true {
  context.verdict = verdict;
  enforceLimits(limits, verdict);
  context.enter('upstream');
  return true;
}

/** Only budgets of which nothing is known end here: money is not given out on a guess. */
function giveUp(error: unknown): never {
  if (!(error instanceof StoreUnavailableError)) throw error;
  throw new GatewayError('store_unavailable', undefined, { cause: error, headers: { 'Retry-After': '1' } });
}

function pairs(flat: readonly string[]): Array<[string, string]> {
  return flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? ''] as [string, string]] : []));
}
