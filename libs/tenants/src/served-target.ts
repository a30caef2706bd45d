import type { Breaker, BreakerRules, OutcomeWindow } from '#libs/breakers';
import { commonUpstream, type Upstream } from './common-parts';
import { ejectionReason, type EjectionRules } from './ejection';
import type { HealthCheck } from './service';

const DEFAULT_HEALTHY_AFTER = 2;
const DEFAULT_UNHEALTHY_AFTER = 3;

/** Why a target gets no requests. */
export type TargetTrouble = 'failed_checks' | 'failed_requests' | 'circuit_open';

/** What the outcomes of requests to the targets of one service are judged by. */
export interface TargetRules {
  /** Statuses that count as failures. */
  readonly failureStatuses: ReadonlySet<number>;
  /** Undefined: none is taken out for doing worse than the others. */
  readonly ejection: EjectionRules | undefined;
  readonly breaker: BreakerRules | undefined;
  /** All targets of the service. */
  readonly siblings: readonly ServedTarget[];
}

/** Told when a target is taken out because it does worse than its siblings. */
export type EjectionListener = (target: ServedTarget, reason: string) => void;

/** One target of a service, with what this process knows about it. */
export class ServedTarget {
  readonly upstream: Upstream;
  /** Requests under way. */
  pending = 0;
  /** Failed requests in a row. */
  failures = 0;
  /** Until when it gets none because they failed, milliseconds since the epoch. */
  ejectedUntil = 0;
  /** It was taken out, and nobody has told yet that it is back. */
  isOut = false;
  /** How often it was taken out without having stayed in for as long as it was out. */
  ejections = 0;
  /** Since when it gets requests (again), or from when on it will; milliseconds since the epoch, 0 for always. */
  returnedAt = 0;
  /** By what its requests are judged; undefined: by nothing. */
  rules: TargetRules | undefined = undefined;
  /** How its requests ended lately; undefined unless somebody judges them. */
  window: OutcomeWindow | undefined = undefined;
  breaker: Breaker | undefined = undefined;
  onEjection: EjectionListener | undefined = undefined;
  /** The verdict of the checks; a target is taken for healthy until they have said otherwise. */
  passesChecks = true;
  /** Checks in a row that contradict the verdict. */
  private contradictions = 0;
  /** When it was last checked, milliseconds since the epoch; 0 for never. */
  checkedAt = 0;
  /** What was wrong with the last check. */
  lastProblem: string | undefined = undefined;
  /** When the next check is due. */
  checkDueAt = 0;
  beingChecked = false;

  constructor(readonly url: string) {
    this.upstream = commonUpstream(url);
  }

  /** Why it should get no request now; undefined if nothing is known against it. */
  trouble(now: number): TargetTrouble | undefined {
    if (!this.passesChecks) return 'failed_checks';
    if (this.breaker?.shut) return 'circuit_open';
    return this.ejectedUntil > now ? 'failed_requests' : undefined;
  }

  /**
   * Takes note of how a client's request ended that was no probe. A target that comes back after its time is out again
   * at the first failure, and trusted as before at the first success.
   * @param failed see `TargetRules.failureStatuses`; also for a broken connection or no answer in time.
   * @param durationMs until the head of the response had come, or until it was known that none would.
   */
  noteRequest(failed: boolean, durationMs: number, now: number): void {
    const { rules, breaker } = this;
    if (!rules) return;
    const slow = rules.breaker !== undefined && durationMs > rules.breaker.slowMs;
    this.window?.note(failed, slow, now);
    this.failures = failed ? this.failures + 1 : 0;
    breaker?.note(this.failures, now);
    // Those that were under way when it was taken out say nothing new.
    if (!failed || !rules.ejection || this.ejectedUntil > now) return;
    const reason = ejectionReason(this, rules.siblings, rules.ejection, now);
    if (reason !== undefined) this.eject(rules.ejection, reason, now);
  }

  /** Whether a request that took so long is a good sign of a breaker that is half-open. */
  isSlow(durationMs: number): boolean {
    return durationMs > (this.rules?.breaker?.slowMs ?? Infinity);
  }

  /** Its breaker lets everybody through again: what was before counts no more. */
  returnFromBreaker(now: number): void {
    this.failures = 0;
    this.returnedAt = now;
  }

  private eject({ ejectMs, maxEjectMs }: EjectionRules, reason: string, now: number): void {
    const lastMs = Math.min(maxEjectMs, ejectMs * this.ejections);
    if (now - this.ejectedUntil > lastMs) this.ejections = 0;
    this.ejections += 1;
    this.ejectedUntil = now + Math.min(maxEjectMs, ejectMs * this.ejections);
    this.returnedAt = this.ejectedUntil;
    this.isOut = true;
    this.window?.clear();
    this.onEjection?.(this, reason);
  }

  /**
   * Takes note of a check.
   * @param problem undefined if there was none.
   * @returns whether the verdict has changed.
   */
  noteCheck(problem: string | undefined, rules: HealthCheck, now: number): boolean {
    this.checkedAt = now;
    this.lastProblem = problem;
    if ((problem === undefined) === this.passesChecks) {
      this.contradictions = 0;
      return false;
    }
    this.contradictions += 1;
    const { healthyAfter = DEFAULT_HEALTHY_AFTER, unhealthyAfter = DEFAULT_UNHEALTHY_AFTER } = rules;
    if (this.contradictions < (this.passesChecks ? unhealthyAfter : healthyAfter)) return false;
    this.passesChecks = !this.passesChecks;
    if (this.passesChecks) this.returnedAt = Math.max(this.returnedAt, now);
    this.contradictions = 0;
    return true;
  }

  /** Nobody checks it any more. */
  forgetChecks(): void {
    this.passesChecks = true;
    this.contradictions = 0;
    this.lastProblem = undefined;
    this.checkedAt = 0;
  }
}
