import type { HealthCheck, Service } from './service';
import { ServedTarget } from './served-target';

/** A service whose targets are told apart by their health. */
export interface WatchedService {
  readonly id: string;
  readonly targets: ReadonlyMap<string, ServedTarget>;
  readonly healthCheck: HealthCheck | undefined;
  /** When a request last went there, or a published route was seen to lead there; milliseconds since the epoch. */
  usedAt: number;
}

/** A service that nothing has led to for so long is forgotten until something does again. */
const FORGOTTEN_AFTER_MS = 10 * 60_000;

/**
 * What this process knows about the targets of services. It outlives their compiled forms: a service that is changed or
 * read anew does not forget which of its targets are down.
 */
export class TargetHealth {
  private readonly services = new Map<string, WatchedService>();

  /** The service as it is watched from now on; targets that it had before keep what is known about them. */
  watch({ id, targets, healthCheck }: Pick<Service, 'id' | 'targets' | 'healthCheck'>): WatchedService {
    const before = this.services.get(id);
    const kept = new Map<string, ServedTarget>();
    for (const { url } of targets) kept.set(url, before?.targets.get(url) ?? new ServedTarget(url));
    if (!healthCheck) for (const target of kept.values()) target.forgetChecks();
    const watched = { id, targets: kept, healthCheck, usedAt: before?.usedAt ?? 0 };
    this.services.set(id, watched);
    return watched;
  }

  /** Something leads to the service. */
  touch(service: WatchedService, now: number): void {
    // Who else has compiled it, such as an explanation, has put another object there.
    const current = this.services.get(service.id) ?? service;
    current.usedAt = now;
    if (current === service) this.services.set(service.id, service);
  }

  find(id: string): WatchedService | undefined {
    return this.services.get(id);
  }

  /** All that are watched, those that nothing leads to any more left out. */
  *watched(now: number): Iterable<WatchedService> {
    for (const service of this.services.values()) {
      if (now - service.usedAt < FORGOTTEN_AFTER_MS) yield service;
      else this.services.delete(service.id);
    }
  }

  /** Every target that is watched, and whether anything is known against it: for metrics. */
  *states(): Iterable<{ service: string; target: string; healthy: boolean }> {
    const now = Date.now();
    for (const { id, targets } of this.watched(now)) {
      for (const [url, target] of targets)
        yield { service: id, target: url, healthy: target.trouble(now) === undefined };
    }
  }
}
