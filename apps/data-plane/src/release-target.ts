import type { ErrorCode, GatewayError } from '#libs/errors';
import type { RequestContext } from '#libs/guards';

/** What a target is to blame for: no connection, a broken one, no answer in time. */
const FAILURES: ReadonlySet<ErrorCode> = new Set([
  'upstream_unreachable',
  'upstream_failed',
  'upstream_timeout',
] satisfies ErrorCode[]);

/** What a call that has missed its deadline comes to, in words of HTTP. */
const GATEWAY_TIMEOUT = 504;

export function isTargetFailure({ code }: GatewayError): boolean {
  return FAILURES.has(code);
}

/** The attempt under way at the request's target is over: once for each, those that are repeated included. */
export function releaseTarget(context: RequestContext, status: number): void {
  const { target } = context;
  if (!target) return;
  target.pending -= 1;
  if (target.rules) tellTarget(context, status);
  // The request may go on without one, until it is sent again.
  context.target = undefined;
}

/**
 * Tells the target how an attempt ended, or the head of a response that may take hours: only the first word counts.
 * Of a request that its client gave up, or that the gateway refused, the target has shown nothing.
 * @param status what the upstream answered, or what the client got.
 * @param failure why there was no answer.
 */
export function tellTarget(context: RequestContext, status: number, failure = context.refusal): void {
  const { target, permit } = context;
  if (!target?.rules || context.targetTold) return;
  context.targetTold = true;
  const shown =
    (failure === undefined || (isTargetFailure(failure) && !isLateUpload(context, failure))) &&
    !isClientsHurry(context, failure?.status ?? status);
  const failed = failure !== undefined || target.rules.failureStatuses.has(status);
  if (permit)
    permit.settle(!shown ? 'void' : failed || target.isSlow(durationOf(context)) ? 'failed' : 'succeeded');
  else if (shown) target.noteRequest(failed, durationOf(context), Date.now());
}

/** Who was waited for was the client: nobody may shut out everybody else by sending a body slowly. */
function isLateUpload({ uploading }: RequestContext, { code }: GatewayError): boolean {
  return uploading && code === 'upstream_timeout';
}

/** Nor by calls that nobody could answer in the time that they leave, whether the gateway says so or the upstream. */
function isClientsHurry({ call }: RequestContext, status: number): boolean {
  return call?.hurries === true && status === GATEWAY_TIMEOUT;
}

/** Milliseconds from when all was sent until the head had come; slow clients are not the target's fault. */
function durationOf(context: RequestContext): number {
  const { uploading, upstreamSentAt, upstreamAnsweredAt, upstreamEndedAt } = context;
  const from = upstreamSentAt ?? context.attemptStartedAt ?? context.upstreamStartedAt;
  if (from === undefined || uploading) return 0;
  return (upstreamAnsweredAt ?? upstreamEndedAt ?? performance.now()) - from;
}
