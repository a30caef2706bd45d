import type { AuthPolicy } from './auth-policy';
import { keys, type Bucket } from '#libs/store';
import { servedRetries, type ServedRetries } from './retry-policy';
import type { PassiveChecks, Service } from './service';
import { ServedTarget } from './served-target';
import { TargetHealth, type WatchedService } from './target-health';
import type { TenantTimeouts } from './tenant';
import { Turns } from './turns';

/** A service compiled for the request path. */
export class ServedService {
  readonly id: string;
  readonly tenantId: string;
  readonly targets: readonly ServedTarget[];
  readonly requiresJwt: boolean;
  readonly auth: AuthPolicy | undefined;
  readonly timeouts: TenantTimeouts | undefined;
  readonly retries: ServedRetries | undefined;
  readonly bucket: Bucket | undefined;
  /** When targets are left out for what clients' requests met; undefined: never. */
  readonly passive: PassiveChecks | undefined;
  private readonly leastPending: boolean;
  private readonly weights: readonly number[];
  private readonly turns: Turns;
  /** Undefined for a single target that nobody checks: there is nothing to choose and nothing to know. */
  private readonly watched: WatchedService | undefined;

  /** @param health what is known about its targets, and will be. */
  constructor(
    service: Service,
    private readonly health: TargetHealth = new TargetHealth(),
  ) {
    const { id, tenantId, targets, auth, timeouts, rateLimit, passive = {} } = service;
    this.id = id;
    this.tenantId = tenantId;
    const several = targets.length > 1;
    const watched = several || service.healthCheck ? health.watch(service) : undefined;
    this.watched = watched;
    this.targets = targets.map(({ url }) => watched?.targets.get(url) ?? new ServedTarget(url));
    this.passive = several && passive ? passive : undefined;
    this.leastPending = service.balance === 'least-pending';
    this.weights = targets.map(({ weight = 1 }) => weight);
    this.turns = new Turns(this.weights);
    this.requiresJwt = auth?.jwt ?? false;
    this.auth = auth;
    this.timeouts = timeouts;
    this.retries = servedRetries(service.retries);
    this.bucket = rateLimit && {
      key: keys.rateLimitOfService(tenantId, id, rateLimit.windowSeconds),
      capacity: rateLimit.maxRequests,
      windowMs: rateLimit.windowSeconds * 1000,
      local: undefined,
    };
  }

  /**
   * The target of the next request: by turns in proportion to the weights, or the one with the least under way for its
   * weight. Targets in trouble are left out, unless all are: a health check is a suspicion, and refusing everybody on a
   * suspicion would make an outage of a wrong check. A request to a target that is really down costs nothing but itself.
   * @param tried targets that have failed this very request; they are left out where another is well, and the last choice
   *   where none is.
   */
  next(tried?: readonly ServedTarget[]): ServedTarget {
    const { targets, watched } = this;
    if (!watched) return targets[0] as ServedTarget;
    const now = Date.now();
    this.health.touch(watched, now);
    if (targets.length === 1) return targets[0] as ServedTarget;
    if (tried) return this.nextBut(tried, now);
    let troubled = 0;
    for (const target of targets) if (target.trouble(now) !== undefined) troubled += 1;
    const some = troubled > 0 && troubled < targets.length;
    return this.at(this.choose(some ? (place) => this.at(place).trouble(now) !== undefined : undefined));
  }

  private nextBut(tried: readonly ServedTarget[], now: number): ServedTarget {
    const isTried = (place: number): boolean => tried.includes(this.at(place));
    const isTroubled = (place: number): boolean => this.at(place).trouble(now) !== undefined;
    const places = [...this.targets.keys()];
    // A target that is known to be down is no better than one that has failed once.
    const out = [(place: number) => isTried(place) || isTroubled(place), isTroubled, isTried].find((isOut) =>
      places.some((place) => !isOut(place)),
    );
    return this.at(this.choose(out));
  }

  /** Something leads here, though no request need have come yet. */
  touch(now: number): void {
    if (this.watched) this.health.touch(this.watched, now);
  }

  private choose(isOut: ((place: number) => boolean) | undefined): number {
    if (!this.leastPending) return this.turns.next(isOut);
    let least = Infinity;
    for (let i = 0; i < this.targets.length; i++) {
      if (!isOut?.(i)) least = Math.min(least, this.load(i));
    }
    return this.turns.next((place) => isOut?.(place) || this.load(place) > least);
  }

  /** Requests under way in proportion to the weight. */
  private load(place: number): number {
    return this.at(place).pending / (this.weights[place] as number);
  }

  private at(place: number): ServedTarget {
    return this.targets[place] as ServedTarget;
  }
}
