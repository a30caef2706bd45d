import type { Permit } from '#libs/breakers';
import { GatewayError } from '#libs/errors';
import type { TargetsOwner, TargetTerms } from './equip-targets';
import { ServedTarget } from './served-target';
import { TargetHealth, type WatchedService } from './target-health';
import { Turns } from './turns';

/** A target for a request that had to ask, and the permit if the request is a probe. */
export interface Entry {
  readonly target: ServedTarget;
  readonly permit: Permit | undefined;
}

/** How gladly a target is chosen: the lower the better, and never one that is shut. */
const AVOIDED = 1;
const TROUBLED = 2;
const SHUT = 4;

/** The least part of its share that a target gets in slow start; with none it would never be chosen. */
const LEAST_PART = 0.01;

/** The targets that requests are divided between, and what is known about them: those of a service, or of a tenant. */
export class TargetSet {
  readonly targets: readonly ServedTarget[];
  private readonly leastPending: boolean;
  private readonly weights: readonly number[];
  private readonly turns: Turns;
  private readonly slowStartMs: number;
  private readonly guarded: boolean;
  /** Undefined for a single target that nobody checks or guards: there is nothing to choose and nothing to know. */
  private readonly watched: WatchedService | undefined;

  /** @param health what is known about the targets, and will be. */
  constructor(
    owner: TargetsOwner,
    terms: TargetTerms,
    private readonly health: TargetHealth = new TargetHealth(),
  ) {
    const { targets, balance, healthCheck, breaker, slowStartSeconds = 0 } = terms;
    const watched = targets.length > 1 || healthCheck || breaker ? health.watch(owner, terms) : undefined;
    this.watched = watched;
    this.targets = targets.map(({ url }) => watched?.targets.get(url) ?? new ServedTarget(url));
    this.leastPending = balance === 'least-pending';
    this.weights = targets.map(({ weight = 1 }) => weight);
    this.turns = new Turns(this.weights);
    this.slowStartMs = slowStartSeconds * 1000;
    this.guarded = breaker !== undefined;
  }

  /**
   * The target of a new request: at once while all breakers are known to be closed. Where one is half-open the request
   * may become its probe, which the store has a say in.
   * @throws GatewayError circuit_open, also as a rejection
   */
  enter(): ServedTarget | Promise<Entry> {
    if (this.guarded)
      for (const { breaker } of this.targets) if (breaker && !breaker.passes) return this.enterGuarded();
    return this.next() ?? this.refuse(Date.now());
  }

  /**
   * The target of the next attempt: by turns in proportion to the weights, or the one with the least under way for its
   * weight. Targets in trouble are left out, unless all are: a health check is a suspicion, and refusing everybody on a
   * suspicion would make an outage of a wrong check. A request to a target that is really down costs nothing but itself.
   * A breaker that is not closed is no suspicion, but the word of the operator: its target gets nothing.
   * @param avoid targets that others are preferred to, because they have just failed this request.
   * @returns undefined if all breakers are open or half-open: an attempt that is repeated is no probe.
   */
  next(avoid?: readonly ServedTarget[]): ServedTarget | undefined {
    const { targets, watched, slowStartMs } = this;
    if (!watched) return targets[0];
    const now = Date.now();
    this.health.touch(watched, now);
    if (targets.length === 1) return this.at(0).breaker?.shut ? undefined : targets[0];
    let best = SHUT;
    let worst = 0;
    let slow = false;
    for (const target of targets) {
      const rank = rankOf(target, avoid, now);
      if (rank < best) best = rank;
      if (rank > worst) worst = rank;
      if (slowStartMs > 0 && now - target.returnedAt < slowStartMs) slow = true;
    }
    if (best === SHUT) return undefined;
    const isOut = worst > best ? (place: number) => rankOf(this.at(place), avoid, now) > best : undefined;
    return this.at(this.choose(isOut, slow ? (place: number) => this.weightOf(place, now) : undefined));
  }

  /** Why no request gets through, as far as this process knows; undefined if one may. */
  get rest(): string | undefined {
    if (!this.guarded || this.targets.some(({ breaker }) => !breaker?.shut)) return undefined;
    const now = Date.now();
    return this.targets.map(({ url, breaker }) => `${url}: ${breaker?.view(now).reason}`).join('; ');
  }

  /** Something leads here, though no request need have come yet. */
  touch(now: number): void {
    if (this.watched) this.health.touch(this.watched, now);
  }

  /** What of its share a target gets now: less than 1 while it is in slow start. */
  partOf({ returnedAt }: ServedTarget, now: number): number {
    const { slowStartMs } = this;
    if (slowStartMs === 0 || now - returnedAt >= slowStartMs) return 1;
    return Math.max(LEAST_PART, (now - returnedAt) / slowStartMs);
  }

  private enterGuarded(): ServedTarget | Promise<Entry> {
    const now = Date.now();
    const doubtful = this.targets.flatMap(({ breaker }) => (breaker?.doubtful ? [breaker] : []));
    if (doubtful.length > 0)
      return Promise.all(doubtful.map((breaker) => breaker.learn())).then(() => this.entry());
    const due = this.dueForProbe(now);
    if (!due?.breaker) return this.next() ?? this.refuse(now);
    if (this.watched) this.health.touch(this.watched, now);
    return due.breaker.ask(now).then((permit) => (permit ? { target: due, permit } : this.entry()));
  }

  private async entry(): Promise<Entry> {
    const entered = this.enter();
    return entered instanceof Promise ? entered : { target: entered, permit: undefined };
  }

  /** One that fails its checks is probed only if no other can be had. */
  private dueForProbe(now: number): ServedTarget | undefined {
    const due = this.targets.filter(({ breaker }) => breaker?.isDue(now));
    const sound = due.find(({ passesChecks }) => passesChecks);
    if (sound || due.length === 0) return sound;
    return this.targets.some((target) => target.trouble(now) === undefined) ? undefined : due[0];
  }

  /** @throws GatewayError circuit_open, with Retry-After (RFC 9110 §10.2.3) */
  private refuse(now: number): never {
    const waits = this.targets.map(({ breaker }) => breaker?.retryAfterMs(now) ?? 0);
    const seconds = Math.max(1, Math.ceil(Math.min(...waits) / 1000));
    throw new GatewayError('circuit_open', `try again in ${seconds} s`, {
      headers: { 'Retry-After': String(seconds) },
    });
  }

  private choose(
    isOut: ((place: number) => boolean) | undefined,
    weightOf: ((place: number) => number) | undefined,
  ): number {
    if (!this.leastPending) return this.turns.next(isOut, weightOf);
    let least = Infinity;
    for (let i = 0; i < this.targets.length; i++) {
      if (!isOut?.(i)) least = Math.min(least, this.load(i, weightOf));
    }
    return this.turns.next((place) => isOut?.(place) || this.load(place, weightOf) > least, weightOf);
  }

  /** Requests under way in proportion to the weight. */
  private load(place: number, weightOf: ((place: number) => number) | undefined): number {
    return this.at(place).pending / (weightOf ? weightOf(place) : (this.weights[place] as number));
  }

  private weightOf(place: number, now: number): number {
    return (this.weights[place] as number) * this.partOf(this.at(place), now);
  }

  private at(place: number): ServedTarget {
    return this.targets[place] as ServedTarget;
  }
}

function rankOf(target: ServedTarget, avoid: readonly ServedTarget[] | undefined, now: number): number {
  if (target.breaker?.shut) return SHUT;
  return (target.trouble(now) === undefined ? 0 : TROUBLED) + (avoid?.includes(target) ? AVOIDED : 0);
}
