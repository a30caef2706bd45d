import type { RateLimiter, RequestContext } from '#libs/guards';
import { isBudget } from '#libs/store';
import type { Series, UsageMeter } from '#libs/usage';

/** What is counted for one caller at one place; kept with the limits that were worked out for the same. */
interface Metered {
  series?: Series;
}

/**
 * Usage and money of requests that were forwarded or answered by the cache, once for each. A request is billed if it
 * succeeded (2xx, 3xx) and its response left whole; what the cache answered, only where the plan says so. The record is
 * written in the same breath as the last byte, and nothing of ours is between the two (docs/adr/0007). Whatever a request
 * took of a quota or a cap and was not billed goes back.
 */
export class Accounting {
  constructor(
    private readonly meter: UsageMeter,
    private readonly limiter: RateLimiter,
  ) {}

  /** The response is out, whole. */
  delivered(context: RequestContext, status: number): void {
    if (context.accounted) return;
    const succeeded = status >= 200 && status < 400;
    this.settle(context, status, succeeded && (!isCacheHit(context) || billsCacheHits(context)));
  }

  /** The request is over, and what has not been delivered by now never will be. */
  ended(context: RequestContext, status: number): void {
    if (!context.accounted) this.settle(context, status, false);
  }

  private settle(context: RequestContext, status: number, billable: boolean): void {
    context.accounted = true;
    // What the cache answers is use like what the upstream does.
    if (context.upstreamStartedAt !== undefined || context.fromStore) {
      const series = this.seriesOf(context);
      if (series) this.meter.record(series, status, context.bytesIn, context.bytesOut, billable);
    }
    if (!billable) this.refund(context);
  }

  private seriesOf({ caller, limits, service, route }: RequestContext): Series | undefined {
    if (!caller || !limits) return undefined;
    const metered = limits as Metered;
    const { tenant, key } = caller;
    const { planVersion, priceNano } = tenant.billing;
    return (metered.series ??= this.meter.series(
      tenant.id,
      service?.id ?? '',
      key.id,
      route?.path ?? '',
      key.priceNano ?? priceNano,
      planVersion,
    ));
  }

  /** What no upstream was asked for, because it is given a rest, takes nothing of a rate limit either. */
  private refund({ limits, verdict, refusal }: RequestContext): void {
    if (!limits || !verdict?.allowed) return;
    const unasked = refusal?.code === 'circuit_open';
    if (limits.claim.length === 1 && !unasked) return;
    for (const limit of limits.claim) {
      if (isBudget(limit)) this.limiter.refund(limit, limit.cost);
      else if (unasked) this.limiter.refund(limit, 1);
    }
  }
}

/** What the upstream has confirmed anew is its own response. */
function isCacheHit({ fromStore, cache }: RequestContext): boolean {
  return fromStore && cache !== 'revalidated';
}

function billsCacheHits({ caller }: RequestContext): boolean {
  return caller?.tenant.billing.billsCacheHits === true;
}
