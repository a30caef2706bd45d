import type { Paced, PaceWatch } from '#libs/load';

/**
 * A client that has been sent more than the system takes for it. From then on it is timed until it has taken all of that:
 * one that reads a byte a second would otherwise hold its upstream, and what is buffered, for hours.
 */
export class SlowReader implements Paced {
  /** How often it has taken everything. */
  progress = 0;
  readonly resting = false;

  constructor(
    private readonly watch: PaceWatch,
    private readonly putOut: () => void,
  ) {}

  /** There is something that it has yet to take. */
  owes(): void {
    this.watch.watch(this);
  }

  /** It has taken everything, or has gone. */
  settled(): void {
    this.progress += 1;
    this.watch.unwatch(this);
  }

  tooSlow(): void {
    this.putOut();
  }
}
