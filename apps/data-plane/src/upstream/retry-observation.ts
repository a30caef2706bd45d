import type { RequestContext } from '#libs/guards';
import type { Logging } from '#libs/logging';
import type { RetryMetrics, RetryOutcome } from '#libs/metrics';

/** Why a request is sent again: no connection, a broken one, no answer in time, or an answer that says so. */
export type RetryReason = 'connect' | 'broken' | 'timeout' | 'status';

/** Why it is not, although it failed. */
export type Withheld = 'attempts' | 'unsafe' | 'body' | 'time' | 'retry_after' | 'breaker' | 'budget';

/** Says what becomes of requests that failed: a line for every retry, and counters. */
export class RetryObservation {
  constructor(
    private readonly metrics: RetryMetrics,
    private readonly logging: Logging,
  ) {}

  /** @param status with which the upstream answered, if it did. */
  retrying(context: RequestContext, reason: RetryReason, delayMs: number, status?: number): void {
    const { trace, attemptStartedAt, startedAt, upstream } = context;
    trace?.attemptFailed(reason, status, upstream?.origin, attemptStartedAt ?? startedAt);
    this.logging.logger.warn(
      {
        category: 'request',
        requestId: context.id,
        tenantId: context.tenant?.id,
        serviceId: context.service?.id,
        upstream: context.upstream?.origin,
        attempt: context.attempts,
        reason,
        delayMs: Math.round(delayMs),
      },
      'retrying',
    );
  }

  retried({ tenant }: RequestContext, reason: RetryReason, outcome: RetryOutcome): void {
    this.metrics.retried(tenant?.id, reason, outcome);
  }

  withheld(context: RequestContext, why: Withheld): void {
    context.retryWithheld = why;
    this.metrics.withheld(context.tenant?.id, why);
  }
}
