import { Gauge, type Registry } from 'prom-client';

/** What is shown of the targets of services; `TargetHealth` of `#libs/tenants` fits without being imported. */
export interface WatchedTargets {
  states(): Iterable<{ service: string; target: string; healthy: boolean }>;
}

/** Series of one scrape: tenants choose how many services and targets there are. */
const MAX_TARGETS = 1000;

/** Says of each target that is watched whether this process sends requests there. */
export function watchTargets(registry: Registry, targets: WatchedTargets): void {
  new Gauge({
    name: 'gateway_target_healthy',
    help: '1 while nothing is known against a target of a service, as this process sees it',
    labelNames: ['service', 'target'],
    registers: [registry],
    // Of several workers the one that sees trouble is shown.
    aggregator: 'min',
    collect() {
      this.reset();
      let shown = 0;
      for (const { service, target, healthy } of targets.states()) {
        if (++shown > MAX_TARGETS) break;
        this.set({ service, target }, healthy ? 1 : 0);
      }
    },
  });
}
