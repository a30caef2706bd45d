import { Counter, Gauge, type Registry } from 'prom-client';

/** What is shown of the targets of services; `TargetHealth` of `#libs/tenants` fits without being imported. */
export interface WatchedTargets {
  states(): Iterable<ShownTarget>;
}

interface ShownTarget {
  readonly service: string;
  readonly target: string;
  readonly healthy: boolean;
  /** 0 closed, 1 half-open, 2 open; undefined without a breaker. */
  readonly breaker: number | undefined;
}

/** Series of one scrape: tenants choose how many services and targets there are. */
const MAX_TARGETS = 1000;

/** Says of each target that is watched whether this process sends requests there, and how its circuit breaker stands. */
export function watchTargets(registry: Registry, targets: WatchedTargets): void {
  const labelNames = ['service', 'target'] as const;
  new Gauge({
    name: 'gateway_target_healthy',
    help: '1 while nothing is known against a target of a service, as this process sees it',
    labelNames,
    registers: [registry],
    // Of several workers the one that sees trouble is shown.
    aggregator: 'min',
    collect() {
      this.reset();
      for (const { service, target, healthy } of firstOf(targets))
        this.set({ service, target }, healthy ? 1 : 0);
    },
  });
  new Gauge({
    name: 'gateway_breaker_state',
    help: 'Circuit breaker of a target: 0 closed, 1 half-open, 2 open, as this process sees it',
    labelNames,
    registers: [registry],
    aggregator: 'max',
    collect() {
      this.reset();
      for (const { service, target, breaker } of firstOf(targets))
        if (breaker !== undefined) this.set({ service, target }, breaker);
    },
  });
}

/** What happens to targets, by the name of the event: a word from the code. */
export function targetEvents(registry: Registry): Counter<'event'> {
  return new Counter({
    name: 'gateway_target_events_total',
    help: 'Circuit breakers that changed their state and targets that were ejected or came back, as this process saw it',
    labelNames: ['event'],
    registers: [registry],
  });
}

function* firstOf(targets: WatchedTargets): Iterable<ShownTarget> {
  let count = 0;
  for (const state of targets.states()) {
    if (++count > MAX_TARGETS) return;
    yield state;
  }
}
