import type { RequestContext } from '#libs/guards';
import type { ServedTarget } from '#libs/tenants';

/**
 * Chooses the target of an attempt, by what is known at this moment. Where there is no service, nothing is to be chosen.
 * @param tried targets that have failed this request.
 */
export function aim(context: RequestContext, tried?: readonly ServedTarget[]): void {
  const { service } = context;
  if (!service) return;
  const target = service.next(tried);
  // Until the attempt is over, see releaseTarget.
  target.pending += 1;
  context.target = target;
  context.upstream = target.upstream;
}
