import type { Logger } from '#libs/logging';
import { StoreUnavailableError } from '#libs/store';
import type { TokenRepository } from '#libs/tokens';

const PERIOD_MS = 3_600_000;

/** Removes records of tokens that have expired, once an hour. Several control planes may do so at the same time. */
export class TokenCleanup {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly tokens: Pick<TokenRepository, 'cleanup'>,
    private readonly logger: Logger,
  ) {}

  start(periodMs = PERIOD_MS): void {
    this.timer = setInterval(() => void (this.running = this.running.then(() => this.run())), periodMs);
    this.timer.unref();
  }

  /** Resolves when a run that is under way has ended. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    await this.running;
  }

  private async run(): Promise<void> {
    const removed = { tokens: 0, revocations: 0 };
    try {
      for (let more = true; more && this.timer;) {
        const one = await this.tokens.cleanup();
        removed.tokens += one.tokens;
        removed.revocations += one.revocations;
        ({ more } = one);
      }
    } catch (error) {
      // The next hour will do.
      const level = error instanceof StoreUnavailableError ? 'info' : 'warn';
      this.logger[level]({ category: 'admin', err: error }, 'records of expired tokens could not be removed');
    }
    if (removed.tokens + removed.revocations > 0)
      this.logger.info({ category: 'admin', ...removed }, 'records of expired tokens were removed');
  }
}
