import { Counter, Gauge, type Registry } from 'prom-client';

/** Whether what was changed is recorded, and the records are as they were written. */
export class RecordMetrics {
  private readonly unrecordedChanges: Counter<'record'>;
  private readonly whole: Gauge<'chain'>;
  private readonly verifiedAt: Gauge<'chain'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.unrecordedChanges = new Counter({
      name: 'control_unrecorded_changes_total',
      help: 'Changes that the audit log, or the revisions, have no entry of; they are in the log of the process',
      labelNames: ['record'],
      registers,
    });
    // A series that begins with its first event has not increased by it, as Prometheus counts.
    for (const record of ['audit', 'revision']) this.unrecordedChanges.inc({ record }, 0);
    this.whole = new Gauge({
      name: 'control_chain_whole',
      help: 'Whether a chain of the audit log or of the revisions was whole when this process last went through it: 1 or 0',
      labelNames: ['chain'],
      aggregator: 'min',
      registers,
    });
    this.verifiedAt = new Gauge({
      name: 'control_chain_verified_timestamp_seconds',
      help: 'When this process last went through a chain, in seconds since the epoch',
      labelNames: ['chain'],
      aggregator: 'max',
      registers,
    });
  }

  unrecorded(record: 'audit' | 'revision'): void {
    this.unrecordedChanges.inc({ record });
  }

  /** @param chain one of the few of the audit log, or `revisions`. */
  verified(chain: string, whole: boolean, now = Date.now()): void {
    this.whole.set({ chain }, whole ? 1 : 0);
    this.verifiedAt.set({ chain }, Math.floor(now / 1000));
  }
}
