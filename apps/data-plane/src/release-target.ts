import type { ErrorCode } from '#libs/errors';
import type { RequestContext } from '#libs/guards';

/** What a target is to blame for: no connection, a broken one, no answer in time. */
const FAILURES: ReadonlySet<ErrorCode> = new Set([
  'upstream_unreachable',
  'upstream_failed',
  'upstream_timeout',
] satisfies ErrorCode[]);

/** The request is no longer under way at its target. */
export function releaseTarget(context: RequestContext, status: number): void {
  const { target } = context;
  if (!target) return;
  target.pending -= 1;
  if (target.rules) tellTarget(context, status);
}

/**
 * Tells the target how a request ended, or the head of a response that may take hours: only the first word counts.
 * Of a request that its client gave up, or that the gateway refused, the target has shown nothing.
 */
export function tellTarget(context: RequestContext, status: number): void {
  const { target, permit, refusal } = context;
  if (!target?.rules || context.targetTold) return;
  context.targetTold = true;
  const shown = refusal === undefined || FAILURES.has(refusal.code);
  const failed = refusal !== undefined || target.rules.failureStatuses.has(status);
  if (permit)
    permit.settle(!shown ? 'void' : failed || target.isSlow(durationOf(context)) ? 'failed' : 'succeeded');
  else if (shown) target.noteRequest(failed, durationOf(context), Date.now());
}

/** Milliseconds until the head had come; a client that reads slowly is not the target's fault. */
function durationOf({ upstreamStartedAt, upstreamAnsweredAt, upstreamEndedAt }: RequestContext): number {
  if (upstreamStartedAt === undefined) return 0;
  return (upstreamAnsweredAt ?? upstreamEndedAt ?? performance.now()) - upstreamStartedAt;
}
