import type { RequestContext } from '#libs/guards';
import type { ServedTarget } from '#libs/tenants';

/** The targets that have failed a request. */
export class TriedTargets {
  /** Those that the next attempt leaves out where it can. */
  list: ServedTarget[] = [];
  /** All targets of the service have been tried. */
  private onceRound = false;

  add({ target, service }: RequestContext): void {
    if (!target || !service) return;
    this.list.push(target);
    if (!service.targets.every((each) => this.list.includes(each))) return;
    // From now on any but the last.
    this.onceRound = true;
    this.list = [target];
  }

  /** Whether there is a target that was not tried yet, and against which nothing is known. */
  leaveOne({ service }: RequestContext, now: number): boolean {
    if (this.onceRound || !service) return false;
    return service.targets.some((target) => !this.list.includes(target) && target.trouble(now) === undefined);
  }
}
