import type { ErrorCode, GatewayError } from '#libs/errors';
import type { RequestContext } from '#libs/guards';
import type { ServedService, ServedTarget } from '#libs/tenants';

/** What a target is to blame for: no connection, a broken one, no answer in time. */
const FAILURES: ReadonlySet<ErrorCode> = new Set([
  'upstream_unreachable',
  'upstream_failed',
  'upstream_timeout',
] satisfies ErrorCode[]);

export function isTargetFailure({ code }: GatewayError): boolean {
  return FAILURES.has(code);
}

/**
 * The attempt under way at the request's target is over; how it ended is what the target is judged by.
 * @param status what the upstream answered, or what the client got.
 */
export function releaseTarget(context: RequestContext, status: number): void {
  const { target, service, refusal } = context;
  if (!target || !service) return;
  context.target = undefined;
  const startedAt = context.attemptStartedAt ?? context.upstreamStartedAt;
  const endedAt = context.answeredAt ?? context.upstreamEndedAt ?? performance.now();
  const durationMs = startedAt === undefined ? 0 : endedAt - startedAt;
  // Of a request that its client gave up, or that the gateway refused, the target has shown nothing.
  const known = startedAt !== undefined && (!refusal || isTargetFailure(refusal));
  const failed = known ? refusal !== undefined || (status >= 502 && status <= 504) : undefined;
  attemptEnded(service, target, failed, status, durationMs);
}

/**
 * One attempt at a target is over: called exactly once for each, retried ones included. Here is where everything learns
 * of it that judges targets by the requests of clients.
 * @param failed undefined: the attempt has shown nothing of the target.
 * @param durationMs until the head of the response, or until it failed.
 */
function attemptEnded(
  { passive }: ServedService,
  target: ServedTarget,
  failed: boolean | undefined,
  _status: number,
  _durationMs: number,
): void {
  target.pending -= 1;
  if (passive && failed !== undefined) target.noteRequest(failed, passive, failed ? Date.now() : 0);
}
