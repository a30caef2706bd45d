import type { ErrorCode } from '#libs/errors';
import type { RequestContext } from '#libs/guards';

/** What a target is to blame for: no connection, a broken one, no answer in time. */
const FAILURES: ReadonlySet<ErrorCode> = new Set([
  'upstream_unreachable',
  'upstream_failed',
  'upstream_timeout',
] satisfies ErrorCode[]);

/** The request is no longer under way at its target; how it ended is what the passive checks go by. */
export function releaseTarget({ target, service, refusal }: RequestContext, status: number): void {
  if (!target) return;
  target.pending -= 1;
  if (!service?.passive) return;
  // Of a request that its client gave up, or that the gateway refused, the target has shown nothing.
  if (refusal && !FAILURES.has(refusal.code)) return;
  const failed = refusal !== undefined || (status >= 502 && status <= 504);
  target.noteRequest(failed, service.passive, failed ? Date.now() : 0);
}
