import type { Logger } from '#libs/logging';

/** What goes wrong once a second is logged every five. */
const INTERVAL_MS = 5000;

/** Times that something went wrong, since the start. */
export class TroubleCounts {
  /** Lines of journals that make no sense. */
  unreadableLines = 0;
  /** Last lines of journals that a kill has torn off: one for each that was in progress. */
  tornLines = 0;
  /** A ledger had lost what it had confirmed. */
  storeLosses = 0;
}

/** Log lines of trouble that lasts, few enough to leave the others readable: each message every five seconds at most. */
export class Complaints {
  readonly counts = new TroubleCounts();
  private readonly latest = new Map<string, number>();

  constructor(
    private readonly logger: Logger,
    private readonly clock: () => number,
  ) {}

  error(error: unknown, message: string, particulars: Record<string, unknown> = {}): void {
    const now = this.clock();
    if (now - (this.latest.get(message) ?? -Infinity) < INTERVAL_MS) return;
    this.latest.set(message, now);
    const reason = error instanceof Error ? error.message : error;
    this.logger.error({ ...particulars, reason }, message);
  }

  info(message: string, particulars: Record<string, unknown>): void {
    this.logger.info(particulars, message);
  }
}
