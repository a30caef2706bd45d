import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { GatewayError } from '#libs/errors';
import { Concurrency, type ShedReason, type Verdict } from '#libs/load';
import { requestOf, type RequestContext } from './request-context';

const DETAILS: Readonly<Record<ShedReason, string>> = {
  gateway_full: 'the gateway has no more room for this tenant',
  queue_timeout: 'no room was found for it in time',
  tenant_full: 'the tenant has as many under way as it may',
  service_full: 'the service has as many under way as it may',
  streams_full: 'there are as many streams open as there may be',
};

/** One for each reason, made once: under overload a refusal is what must cost the least. */
const REFUSALS = Object.fromEntries(
  Object.entries(DETAILS).map(([reason, detail]) => [
    reason,
    new GatewayError('overloaded', `${detail}: try again in 1 s`, { headers: { 'Retry-After': '1' } }),
  ]),
) as Readonly<Record<ShedReason, GatewayError>>;

/**
 * Takes a place among the requests under way, perhaps after a short wait. Whoever ends a request gives it back.
 * @throws GatewayError overloaded, client_gone
 */
export function takePlace(context: RequestContext, concurrency: Concurrency): true | Promise<true> {
  const { tenant, service, startedAt } = context;
  if (!tenant) throw new Error('the ConcurrencyGuard ran before the RouteGuard');
  // Its client went while earlier guards waited: whoever would give the place back has been here.
  if (context.over) throw new GatewayError('client_gone');
  const verdict = context.upgrade
    ? concurrency.enterStream(context, tenant, startedAt)
    : concurrency.enter(context, tenant, service, startedAt);
  if (verdict === true) return true;
  if (verdict instanceof Promise) return verdict.then((outcome) => settle(context, outcome));
  return settle(context, verdict);
}

function settle(context: RequestContext, verdict: Verdict): true {
  if (verdict === undefined) return true;
  context.shed = verdict;
  throw REFUSALS[verdict];
}

/** Before the limits, so that what is shed costs its tenant nothing: whether there is room for one more. */
@Injectable()
export class ConcurrencyGuard implements CanActivate {
  constructor(private readonly concurrency: Concurrency) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const { context } = requestOf(execution);
    context.enter('concurrency');
    return takePlace(context, this.concurrency);
  }
}
