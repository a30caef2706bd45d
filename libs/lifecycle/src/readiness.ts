/** Whether the process should get traffic. Liveness is something else: a process that answers at all is alive. */
export class Readiness {
  private reached = false;
  private leaving = false;

  /** The store has been reached once; it may go away later without the process being less ready. */
  markReady(): void {
    this.reached = true;
  }

  /** Shutdown has begun: readiness fails first, so that load balancers look elsewhere. */
  markDraining(): void {
    this.leaving = true;
  }

  get ready(): boolean {
    return this.reached && !this.leaving;
  }

  get draining(): boolean {
    return this.leaving;
  }

  get state(): 'starting' | 'ready' | 'draining' {
    return this.leaving ? 'draining' : this.reached ? 'ready' : 'starting';
  }
}
