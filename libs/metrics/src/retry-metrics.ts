import { Counter, type Registry } from 'prom-client';

/** How a retry turned out: `abandoned` is one whose client did not wait for it. */
export type RetryOutcome = 'succeeded' | 'failed' | 'abandoned';

/** Retries of forwarded requests. */
export class RetryMetrics {
  private readonly made: Counter<'tenantId' | 'reason' | 'outcome'>;
  private readonly notMade: Counter<'tenantId' | 'reason'>;

  /** @param tenantLabel of a tenant's series; bounds how many there are. */
  constructor(
    registry: Registry,
    private readonly tenantLabel: (tenantId: string | undefined) => string,
  ) {
    const registers = [registry];
    this.made = new Counter({
      name: 'gateway_retries_total',
      help: 'Attempts at upstreams beyond the first, by why they were made and how they turned out',
      labelNames: ['tenantId', 'reason', 'outcome'],
      registers,
    });
    this.notMade = new Counter({
      name: 'gateway_retries_withheld_total',
      help: 'Failed attempts that were the last, by why there was no other',
      labelNames: ['tenantId', 'reason'],
      registers,
    });
  }

  /** @param reason a word from the code, never from a request. */
  retried(tenantId: string | undefined, reason: string, outcome: RetryOutcome): void {
    this.made.inc({ tenantId: this.tenantLabel(tenantId), reason, outcome });
  }

  /** @param reason likewise; `budget` is the one to be alarmed by. */
  withheld(tenantId: string | undefined, reason: string): void {
    this.notMade.inc({ tenantId: this.tenantLabel(tenantId), reason });
  }
}
