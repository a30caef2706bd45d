/** Often enough to see a loop that is busy, seldom enough to cost nothing. */
const EVERY_MS = 100;

/** How late the event loop comes to what is due: what every request waits for at least once. */
export class LoopDelay {
  private timer: NodeJS.Timeout | undefined;
  private dueAt = 0;
  /** The latest measurement, milliseconds. */
  latestMs = 0;

  /** @param tell called with every measurement, milliseconds. */
  constructor(private readonly tell: (lateMs: number) => void) {}

  start(): void {
    this.dueAt = performance.now() + EVERY_MS;
    this.timer = setInterval(() => this.look(performance.now()), EVERY_MS).unref();
  }

  close(): void {
    clearInterval(this.timer);
  }

  private look(now: number): void {
    this.latestMs = Math.max(0, now - this.dueAt);
    this.dueAt = now + EVERY_MS;
    this.tell(this.latestMs);
  }
}
