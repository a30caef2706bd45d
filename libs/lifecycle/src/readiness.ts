/** Whether the process should get traffic. Liveness is something else: a process that answers at all is alive. */
export class Readiness {
  private reached = false;
  private leaving = false;
  /** What has to be there as well, and is not yet. */
  private awaited = 0;
  private standsIn: () => boolean = () => false;

  /** The store has been reached once; it may go away later without the process being less ready. */
  markReady(): void {
    this.reached = true;
  }

  /** The store has not been reached, and something stands in for it as long as this says so. */
  markDegradedWhile(standsIn: () => boolean): void {
    this.standsIn = standsIn;
  }

  /** Not ready before this has resolved once. */
  waitFor(part: Promise<unknown>): void {
    this.awaited += 1;
    void part.then(() => (this.awaited -= 1));
  }

  /** Shutdown has begun: readiness fails first, so that load balancers look elsewhere. */
  markDraining(): void {
    this.leaving = true;
  }

  get ready(): boolean {
    return this.started && !this.leaving;
  }

  get draining(): boolean {
    return this.leaving;
  }

  get state(): 'starting' | 'degraded' | 'ready' | 'draining' {
    if (this.leaving) return 'draining';
    return !this.started ? 'starting' : this.reached ? 'ready' : 'degraded';
  }

  private get started(): boolean {
    return (this.reached || this.standsIn()) && this.awaited === 0;
  }
}
