import { commonUpstream, type Upstream } from './common-parts';
import type { HealthCheck, PassiveChecks } from './service';

const DEFAULT_FAILURES = 5;
const DEFAULT_EJECT_SECONDS = 30;
const DEFAULT_HEALTHY_AFTER = 2;
const DEFAULT_UNHEALTHY_AFTER = 3;

/** Why a target gets no requests. */
export type TargetTrouble = 'failed_checks' | 'failed_requests';

/** One target of a service, with what this process knows about it. */
export class ServedTarget {
  readonly upstream: Upstream;
  /** Requests under way. */
  pending = 0;
  /** Failed requests in a row. */
  failures = 0;
  /** Until when it gets none because they failed, milliseconds since the epoch. */
  ejectedUntil = 0;
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
    return this.ejectedUntil > now ? 'failed_requests' : undefined;
  }

  /**
   * Takes note of how a client's request ended. A target that comes back after its time is out again at the first
   * failure, and trusted as before at the first success.
   */
  noteRequest(failed: boolean, rules: PassiveChecks, now: number): void {
    if (!failed) {
      this.failures = 0;
      return;
    }
    this.failures += 1;
    const { failures = DEFAULT_FAILURES, ejectSeconds = DEFAULT_EJECT_SECONDS } = rules;
    // Those that were under way when it was taken out say nothing new.
    if (this.failures >= failures && this.ejectedUntil <= now) this.ejectedUntil = now + ejectSeconds * 1000;
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
