import type { RequestContext } from '#libs/guards';
import type { ServedTarget } from '#libs/tenants';
import { targetsOf } from './aim';

/** The targets that have failed a request. */
export class TriedTargets {
  /** Those that the next attempt leaves out where it can. */
  list: ServedTarget[] = [];
  /** All targets have been tried. */
  private onceRound = false;

  add(context: RequestContext): void {
    const { target } = context;
    if (!target) return;
    this.list.push(target);
    if (!targetsOf(context)?.targets.every((each) => this.list.includes(each))) return;
    // From now on any but the last.
    this.onceRound = true;
    this.list = [target];
  }

  /** Whether there is a target that was not tried yet, and against which nothing is known. */
  leaveOne(context: RequestContext, now: number): boolean {
    const targets = this.onceRound ? undefined : targetsOf(context)?.targets;
    return targets?.some((each) => !this.list.includes(each) && each.trouble(now) === undefined) ?? false;
  }
}
