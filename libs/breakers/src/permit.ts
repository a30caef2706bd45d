/** `void`: nothing was learnt from it, because the client has gone or the gateway refused it. */
export type ProbeOutcome = 'succeeded' | 'failed' | 'void';

/** The right of one request to be a probe. Whoever has it settles it, whatever becomes of the request. */
export class Permit {
  private open = true;

  constructor(private readonly settled: (outcome: ProbeOutcome) => void) {}

  /** Only the first word counts. */
  settle(outcome: ProbeOutcome): void {
    if (!this.open) return;
    this.open = false;
    this.settled(outcome);
  }
}
