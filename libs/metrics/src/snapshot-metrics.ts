import { Counter, type Registry } from 'prom-client';

/** @returns called whenever what a start without Redis would serve was written to the disk, or could not be. */
export function snapshotWrites(registry: Registry): (outcome: 'written' | 'failed') => void {
  const counter = new Counter({
    name: 'gateway_config_snapshot_writes_total',
    help: 'Times that what a start without Redis would serve was written to the disk, or could not be',
    labelNames: ['outcome'],
    registers: [registry],
  });
  // A series that begins with its first event has not increased by it, as Prometheus counts.
  for (const outcome of ['written', 'failed']) counter.inc({ outcome }, 0);
  return (outcome) => counter.inc({ outcome });
}
