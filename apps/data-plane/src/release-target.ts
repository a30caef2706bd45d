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
  const shown = refusal === undefined || (FAILURES.has(refusal.code) && !isLateUpload(context));
  const failed = refusal !== undefined || target.rules.failureStatuses.has(status);
  if (permit)
    permit.settle(!shown ? 'void' : failed || target.isSlow(durationOf(context)) ? 'failed' : 'succeeded');
  else if (shown) target.noteRequest(failed, durationOf(context), Date.now());
}

/** Who was waited for was the client: nobody may shut out everybody else by sending a body slowly. */
function isLateUpload({ refusal, uploading }: RequestContext): boolean {
  return uploading && refusal?.code === 'upstream_timeout';
}

/** Milliseconds from when all was sent until the head had come; slow clients are not the target's fault. */
function durationOf(context: RequestContext): number {
  const { uploading, upstreamSentAt, upstreamStartedAt, upstreamAnsweredAt, upstreamEndedAt } = context;
  const from = upstreamSentAt ?? upstreamStartedAt;
  if (from === undefined || uploading) return 0;
  return (upstreamAnsweredAt ?? upstreamEndedAt ?? performance.now()) - from;
}
