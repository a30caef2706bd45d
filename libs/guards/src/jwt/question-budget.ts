const SECOND = 1000;
/** Anybody can invent tokens; so many questions may all inventions together cost an endpoint. */
const PER_SECOND = 50;
const BURST = 200;
/** Each holds a request of a client; more than an endpoint can answer in time would only wait. */
const MAX_OPEN = 64;
/** An endpoint that fails is left alone for this long. */
const PAUSE_MS = SECOND;

/** How often an endpoint may be asked about tokens that nobody has seen: a token bucket, and a bound on open questions. */
export class QuestionBudget {
  private left = BURST;
  private filledAt: number;
  private open = 0;
  private pausedUntil = 0;

  constructor(private readonly now: () => number) {
    this.filledAt = now();
  }

  /** Milliseconds until it is worth asking again; 0 for now. */
  waitMs(): number {
    const now = this.now();
    if (now < this.pausedUntil) return this.pausedUntil - now;
    this.left = Math.min(BURST, this.left + ((now - this.filledAt) / SECOND) * PER_SECOND);
    this.filledAt = now;
    return this.left < 1 || this.open >= MAX_OPEN ? SECOND : 0;
  }

  begin(): void {
    this.left -= 1;
    this.open += 1;
  }

  end(): void {
    this.open -= 1;
  }

  failed(): void {
    this.pausedUntil = this.now() + PAUSE_MS;
  }
}
