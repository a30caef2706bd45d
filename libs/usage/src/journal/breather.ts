/** Between two turns where there is time. */
const PAUSE_MS = 10;

/**
 * Spreads work over turns of the event loop: promises alone would do all of it before the next request is looked at. Where
 * there is time there are pauses as well, for a burst of work, a piece in every turn, is a burst of waiting for requests.
 */
export class Breather {
  private spent = 0;
  private gate = Promise.resolve();

  /**
   * @param perTurn work that may be done in one turn, in whatever unit `take` is called with.
   * @param hurried whether there is no time for pauses.
   */
  constructor(
    private readonly perTurn: number,
    private readonly hurried: () => boolean,
  ) {}

  /** Resolves when so much more may be done. */
  take(work: number): Promise<void> {
    this.gate = this.gate.then(() => {
      this.spent += work;
      if (this.spent <= this.perTurn) return;
      this.spent = work;
      return new Promise((resolve) => {
        if (this.hurried()) setImmediate(resolve);
        else setTimeout(resolve, PAUSE_MS).unref();
      });
    });
    return this.gate;
  }
}
