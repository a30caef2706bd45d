import type { SharedBreakers } from '#libs/breakers';
import { keys } from '#libs/store';
import { equip, type TargetsOwner, type TargetTerms } from './equip-targets';
import type { HealthCheck } from './service';
import { ServedTarget } from './served-target';
import type { TargetEvent } from './target-events';

/** A service whose targets are told apart by their health. */
export interface WatchedService {
  readonly id: string;
  readonly targets: ReadonlyMap<string, ServedTarget>;
  readonly healthCheck: HealthCheck | undefined;
  readonly owner: TargetsOwner;
  /** When a request last went there, or a published route was seen to lead there; milliseconds since the epoch. */
  usedAt: number;
}

/** One target as metrics show it. */
export interface TargetState {
  readonly service: string;
  readonly target: string;
  readonly healthy: boolean;
  /** 0 closed, 1 half-open, 2 open; undefined without a breaker. */
  readonly breaker: number | undefined;
}

/** A service that nothing has led to for so long is forgotten until something does again. */
const FORGOTTEN_AFTER_MS = 10 * 60_000;

const BREAKER_LEVELS = { closed: 0, forced_closed: 0, half_open: 1, open: 2, forced_open: 2 } as const;

/** What the upstream of a tenant's own routes is called among services; no id of a service has a colon in it. */
export function watchId({ tenantId, serviceId }: TargetsOwner): string {
  return serviceId === undefined ? `tenant:${tenantId}` : serviceId;
}

/**
 * What this process knows about the targets of services. It outlives their compiled forms: a service that is changed or
 * read anew does not forget which of its targets are down.
 */
export class TargetHealth {
  private readonly services = new Map<string, WatchedService>();

  /**
   * @param shared what breakers have of the store; absent: they are this process's alone.
   * @param tell hears of everything that happens to targets.
   */
  constructor(
    private readonly shared?: SharedBreakers,
    private readonly tell: (event: TargetEvent) => void = () => undefined,
  ) {
    shared?.subscribe((key) => this.hear(key));
  }

  /** The service as it is watched from now on; targets that it had before keep what is known about them. */
  watch(owner: TargetsOwner, terms: TargetTerms): WatchedService {
    const { targets, healthCheck } = terms;
    const id = watchId(owner);
    const before = this.services.get(id);
    const kept = new Map<string, ServedTarget>();
    for (const { url } of targets)
      kept.set(url, before?.targets.get(url) ?? this.added(url, before !== undefined));
    if (!healthCheck) for (const target of kept.values()) target.forgetChecks();
    equip([...kept.values()], owner, terms, { shared: this.shared, tell: this.tell });
    const watched = { id, targets: kept, healthCheck, owner, usedAt: before?.usedAt ?? 0 };
    this.services.set(id, watched);
    return watched;
  }

  /** Something leads to the service. */
  touch(service: WatchedService, now: number): void {
    // Who else has compiled it, such as an explanation, has put another object there.
    const current = this.services.get(service.id);
    (current ?? service).usedAt = now;
    if (current) return;
    this.services.set(service.id, service);
    // Nobody has listened to what others have said of it meanwhile.
    for (const target of service.targets.values()) target.breaker?.doubt();
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

  /** To be called a few times a second: notices what nobody announces. */
  look(now: number): void {
    const missed = this.shared?.missedChanges() ?? false;
    for (const { owner, targets } of this.watched(now)) {
      for (const target of targets.values()) {
        if (missed) target.breaker?.doubt();
        if (!target.isOut || target.ejectedUntil > now) continue;
        target.isOut = false;
        this.tell({ event: 'target_returned', ...owner, target: target.url, decided: true });
      }
    }
  }

  /** Every target that is watched, and whether anything is known against it: for metrics. */
  *states(): Iterable<TargetState> {
    const now = Date.now();
    for (const { id, targets } of this.watched(now)) {
      for (const [url, target] of targets) {
        const standing = target.breaker?.view(now).state;
        yield {
          service: id,
          target: url,
          healthy: target.trouble(now) === undefined,
          breaker: standing && BREAKER_LEVELS[standing],
        };
      }
    }
  }

  private added(url: string, later: boolean): ServedTarget {
    const target = new ServedTarget(url);
    // What a process finds when it starts is no newer than the rest.
    if (later) target.returnedAt = Date.now();
    return target;
  }

  private hear(key: string): void {
    const owner = keys.breakerOf(key);
    if (!owner) return;
    const { tenantId, serviceId } = owner;
    const service = this.services.get(watchId({ tenantId, serviceId: serviceId || undefined }));
    if (!service) return;
    for (const { breaker } of service.targets.values()) if (breaker?.key === key) breaker.hear();
  }
}
