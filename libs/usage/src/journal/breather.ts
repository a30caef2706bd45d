/**
 * Spreads work over turns of the event loop: promises alone would do all of it before the next request is looked at.
 */
export class Breather {
  private spent = 0;
  private gate = Promise.resolve();

  /** @param perTurn work that may be done in one turn, in whatever unit `take` is called with. */
  constructor(private readonly perTurn: number) {}

  /** Resolves when so much more may be done. */
  take(work: number): Promise<void> {
    this.gate = this.gate.then(() => {
      this.spent += work;
      if (this.spent <= this.perTurn) return;
      this.spent = work;
      return new Promise((resolve) => setImmediate(resolve));
    });
    return this.gate;
  }
}
