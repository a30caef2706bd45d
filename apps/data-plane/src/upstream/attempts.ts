import type { TimeoutConfig } from '#libs/config';
import { GatewayError } from '#libs/errors';
import { isSafeToRepeat, type RequestContext } from '#libs/guards';
import { backoffMs, type ServedRetries, type ServedTarget } from '#libs/tenants';
import { isTargetFailure, releaseTarget, tellTarget } from '../release-target';
import { targetsOf } from './aim';
import { Attempt, type AttemptJudge } from './attempt';
import { dispatch, type Outgoing } from './dispatch';
import type { Exchange } from './exchange';
import type { RepeatableBody } from './kept-body';
import { PUTS_OFF, retryAfterMs } from './retry-after';
import { exhaustedWith, retriesExhausted } from './retries-exhausted';
import type { RetryBudget } from './retry-budget';
import type { RetryObservation, RetryReason, Withheld } from './retry-observation';
import { TriedTargets } from './tried-targets';

/** What the attempts of a request need. */
export interface AttemptTerms {
  readonly policy: ServedRetries;
  /** Of the service, or of the tenant where there is none. */
  readonly budget: RetryBudget;
  readonly timeouts: TimeoutConfig;
  /** Undefined when the request has none. */
  readonly body: RepeatableBody | undefined;
  readonly observation: RetryObservation;
  /**
   * Chooses a target again, where there is a choice one that is not among the `tried`; undefined if no breaker lets
   * another attempt through. @throws GatewayError
   */
  readonly again: (tried: readonly ServedTarget[]) => Outgoing | undefined;
}

/**
 * The attempts of one request that has a retry policy: the first, and as many more as the policy, what has been sent and
 * the budget allow. Its time-out in total spans them all.
 */
export class Attempts implements AttemptJudge {
  private current: Attempt | undefined;
  /** Between two attempts. */
  private waiting: NodeJS.Timeout | undefined;
  private made = 0;
  private readonly tried = new TriedTargets();
  /** Why the attempt under way was made; undefined for the first. */
  private reason: RetryReason | undefined;
  private readonly endsAt: number;
  /** When a target that is to be asked again will take it, monotonic milliseconds. */
  private putOffUntil = 0;
  /** Of the last attempt; undefined if it was answered. */
  private lastError: GatewayError | undefined;

  constructor(
    private readonly exchange: Exchange,
    private readonly context: RequestContext,
    private readonly terms: AttemptTerms,
  ) {
    this.endsAt = performance.now() + terms.timeouts.totalMs;
    exchange.retrying = this;
  }

  start(outgoing: Outgoing): void {
    const { context, exchange, terms } = this;
    const now = performance.now();
    this.made += 1;
    context.attempts = this.made;
    context.attemptStartedAt = now;
    context.upstreamStartedAt ??= now;
    if (this.made === 1) terms.budget.request(now);
    const body = terms.body?.another();
    const patience = { tryMs: terms.policy.perTryTimeoutMs, firstByteMs: terms.timeouts.firstByteMs };
    const attempt = new Attempt(exchange, this, body, patience, now);
    this.current = attempt;
    dispatch(outgoing, context.method, body, attempt);
  }

  /** The exchange is over, whatever is under way. */
  end(clientGone: boolean): void {
    clearTimeout(this.waiting);
    const { current } = this;
    this.current = undefined;
    this.settle(clientGone ? 'abandoned' : 'failed');
    current?.drop();
    this.terms.body?.close();
  }

  failed(attempt: Attempt, error: GatewayError): void {
    const { exchange, terms } = this;
    if (attempt !== this.current) return;
    this.current = undefined;
    this.lastError = error;
    this.settle('failed');
    // What the client sent was at fault, or the configuration: another attempt would end in the same way.
    if (terms.body?.broken || !isTargetFailure(error)) return exchange.breakOff(error);
    const reason = !attempt.sent ? 'connect' : error.code === 'upstream_timeout' ? 'timeout' : 'broken';
    tellTarget(this.context, error.status, error);
    const why = this.tryAgain(reason, attempt, error.status);
    if (why !== undefined) exchange.breakOff(retriesExhausted(terms.policy, why, error) ?? error);
  }

  answered(status: number, raw: Buffer[]): boolean {
    const { context, exchange, terms } = this;
    const attempt = this.current as Attempt;
    context.upstreamAnsweredAt = performance.now();
    const wanted = !terms.policy.statuses.has(status);
    this.settle(wanted ? 'succeeded' : 'failed');
    this.current = undefined;
    if (!wanted) {
      this.lastError = undefined;
      tellTarget(context, status);
      const putOffMs = PUTS_OFF.has(status) ? (retryAfterMs(raw, Date.now()) ?? 0) : 0;
      const why = this.tryAgain('status', attempt, status, putOffMs);
      if (why === undefined) return false;
      const exhausted = retriesExhausted(terms.policy, why, undefined, putOffMs);
      if (exhausted) {
        exchange.breakOff(exhausted);
        return false;
      }
    }
    terms.body?.forget();
    return true;
  }

  /** Its target knows already how it ended. @returns undefined if there will be another attempt, or why there will not. */
  private tryAgain(
    reason: RetryReason,
    attempt: Attempt,
    status: number,
    putOffMs = 0,
  ): Withheld | undefined {
    const { context, terms } = this;
    const now = performance.now();
    this.tried.add(context);
    const delayMs = this.delay(status, putOffMs, now);
    const why = this.objection(attempt, delayMs, now);
    if (why !== undefined) {
      terms.observation.withheld(context, why);
      return why;
    }
    terms.observation.retrying(context, reason, delayMs, reason === 'status' ? status : undefined);
    releaseTarget(context, status);
    this.reason = reason;
    this.waiting = setTimeout(() => this.again(), delayMs);
    return undefined;
  }

  private objection(attempt: Attempt, delayMs: number, now: number): Withheld | undefined {
    const { context, terms } = this;
    const { policy, body, budget } = terms;
    if (attempt.shown || (attempt.sent && !isSafeToRepeat(context))) return 'unsafe';
    if (this.made > policy.attempts) return 'attempts';
    if (body && !body.replayable) return 'body';
    // Perhaps because of this very attempt.
    if (targetsOf(context)?.rest !== undefined) return 'breaker';
    if (delayMs > policy.maxBackoffMs) return 'retry_after';
    if (now + delayMs >= this.endsAt) return 'time';
    return budget.withdraw(now) ? undefined : 'budget';
  }

  /**
   * Whoever has put us off is not asked before: 429 is said about the caller and holds for all targets, 503 for the one
   * that said it.
   */
  private delay(status: number, putOffMs: number, now: number): number {
    const { policy } = this.terms;
    if (putOffMs > 0) this.putOffUntil = Math.max(this.putOffUntil, now + putOffMs);
    const backoff = backoffMs(policy, this.made);
    if (status !== 429 && this.tried.leaveOne(this.context, Date.now())) return backoff;
    return Math.max(backoff, this.putOffUntil - now);
  }

  private again(): void {
    try {
      const outgoing = this.terms.again(this.tried.list);
      if (outgoing) this.start(outgoing);
      else this.shutOut();
    } catch (error) {
      const known = error instanceof GatewayError;
      this.exchange.breakOff(known ? error : new GatewayError('internal_error', undefined, { cause: error }));
    }
  }

  /** All breakers have opened while it waited, and an answer that nobody wanted then is gone. */
  private shutOut(): void {
    const { lastError, context, exchange } = this;
    const { policy, observation } = this.terms;
    this.reason = undefined;
    observation.withheld(context, 'breaker');
    exchange.breakOff(retriesExhausted(policy, 'breaker', lastError) ?? lastError ?? exhaustedWith(policy));
  }

  /** How the retry under way, if it is one, has turned out. */
  private settle(outcome: 'succeeded' | 'failed' | 'abandoned'): void {
    const { reason } = this;
    this.reason = undefined;
    if (reason) this.terms.observation.retried(this.context, reason, outcome);
  }
}
