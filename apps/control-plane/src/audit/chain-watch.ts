import { Inject, Injectable } from '@nestjs/common';
import { AuditLog, verifyChain, type ChainVerdict } from '#libs/audit';
import { Revisions } from '#libs/revisions';
import { StoreUnavailableError } from '#libs/store';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';

const DAY_MS = 86_400_000;
/** A start has other things to do first. */
const FIRST_MS = 600_000;

/** Goes through the chains of the audit log and of the revisions, when asked and once a day, and shows what it has found. */
@Injectable()
export class ChainWatch {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly audit: AuditLog,
    private readonly revisions: Revisions,
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
  ) {}

  start(firstMs = FIRST_MS, periodMs = DAY_MS): void {
    this.timer = setTimeout(() => void this.look().then(() => this.next(periodMs)), firstMs).unref();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  async verify(): Promise<ChainVerdict[]> {
    const verdicts = [...(await this.audit.verify()), await verifyChain(this.revisions.chain)];
    for (const { chain, ok } of verdicts) this.options.metrics.records.verified(chain, ok);
    return verdicts;
  }

  private next(periodMs: number): void {
    if (!this.stopped) this.start(periodMs, periodMs);
  }

  private async look(): Promise<void> {
    const { logger } = this.options.logging;
    try {
      for (const { chain, broken } of await this.verify())
        if (broken) logger.error({ category: 'admin', chain, ...broken }, 'a chain is not as it was written');
    } catch (error) {
      // The next day will do; how old the last look is can be seen.
      if (!this.stopped && !(error instanceof StoreUnavailableError))
        logger.warn({ category: 'admin', err: error }, 'the chains could not be gone through');
    }
  }
}
