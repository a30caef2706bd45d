import type { RequestContext } from '#libs/guards';
import type { ServedTarget, TargetSet } from '#libs/tenants';

/** The targets that a request has to choose from; undefined for an upstream that nobody watches. */
export function targetsOf({ service, tenant }: RequestContext): TargetSet | undefined {
  return (service ?? tenant)?.set;
}

/** The request, or another attempt at it, goes to this target, which knows nothing of it yet. */
export function aimAt(context: RequestContext, target: ServedTarget): void {
  context.targetTold = false;
  context.uploading = false;
  context.upstreamSentAt = undefined;
  context.upstreamAnsweredAt = undefined;
  // Until the attempt is over, see releaseTarget.
  target.pending += 1;
  context.target = target;
  context.upstream = target.upstream;
}

/**
 * Chooses the target of an attempt beyond the first, by what is known at this moment.
 * @param tried targets that have failed this request.
 * @returns false if no breaker lets it through: what is sent again is no probe.
 */
export function aimAgain(context: RequestContext, tried: readonly ServedTarget[]): boolean {
  const targets = targetsOf(context);
  const target = targets?.next(tried);
  if (targets && !target) return false;
  context.permit = undefined;
  if (!target) return true;
  if (!context.over) aimAt(context, target);
  // Its client has gone, and the response is for the cache: nobody would let go of the target again.
  else context.upstream = target.upstream;
  return true;
}
