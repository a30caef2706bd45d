import {
  isBudget,
  LEASE_TTL_MS,
  type Bucket,
  type Claim,
  type ClaimVerdict,
  type LeaseGrant,
  type LeaseRequest,
  type LimitVerdict,
  type Store,
} from '#libs/store';
import type { Lease, LocalLimit, LocalLimits } from './local-limits';

/** A lease is meant to last this long at the demand of the moment: ten calls a second whatever the load. */
const HOLD_MS = 100;
/** Demand is not told from less: requests come in bursts, and one of them says nothing of the next tenth of a second. */
const SHORTEST_MS = 10;
/** How often unused leases are looked for. */
const SWEEP_MS = 250;
/** A claim whose tokens others took first asks again, but not without end. */
const MAX_ROUNDS = 5;

/**
 * Token buckets without a call per request: tokens are taken from the store in small leases sized by demand, used
 * here, and given back when nobody wants them. The store counts tokens on lease as there, so what is admitted never
 * exceeds a limit by one; what may happen is that the last tokens are held by a replica that does not need them for
 * up to a second.
 */
export class Leases {
  /** Those the store has to hear of again. */
  private readonly active = new Set<LocalLimit>();
  private timer: NodeJS.Timeout | undefined;

  /** @param now monotonic milliseconds. */
  constructor(
    private readonly store: Store,
    private readonly locals: LocalLimits,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Budgets are never leased: their last unit must not lie about unused in another process. */
  suits(claim: Claim): claim is readonly Bucket[] {
    for (const limit of claim) if (isBudget(limit)) return false;
    return true;
  }

  take(claim: readonly Bucket[]): ClaimVerdict | Promise<ClaimVerdict> {
    const now = this.now();
    for (const bucket of claim) {
      const lease = this.leaseOf(bucket);
      lease.demand += 1;
      lease.wantedAt = now;
    }
    return this.decide(claim, now) ?? this.acquire(claim);
  }

  /** Gives back what is left. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.active].flatMap(({ lease }) => lease?.asking ?? []));
    if (this.store.state === 'ready') await this.call([...this.active], true).catch(() => undefined);
    this.active.clear();
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** The verdict if it can be told without the store. */
  private decide(claim: readonly Bucket[], now: number): ClaimVerdict | undefined {
    let lacking = false;
    let dry = false;
    for (const bucket of claim) {
      const lease = this.leaseOf(bucket);
      if (holds(lease, now)) continue;
      if (now < lease.dryUntil) dry = true;
      else lacking = true;
    }
    if (lacking && !dry) return undefined;
    const verdicts = claim.map((bucket) => {
      const local = this.locals.of(bucket);
      const lease = local.lease as Lease;
      const refusing = !holds(lease, now) && now < lease.dryUntil;
      if (!dry) this.use(local, lease, now);
      return verdictOf(local, lease, refusing ? Math.max(1, Math.ceil(lease.tokenAt - now)) : 0);
    });
    return { allowed: !dry, verdicts };
  }

  private use(local: LocalLimit, lease: Lease, now: number): void {
    lease.left -= 1;
    lease.used += 1;
    // Before it runs out, so that nobody has to wait; not where the end of the bucket is near, nor for a request that
    // came alone: what is taken ahead of the next one would have to be given back before that comes.
    if (lease.asking || lease.demand === 0 || lease.left * 4 > this.sizeOf(local, lease, now)) return;
    if (local.remaining > lease.left) void this.call([local]);
  }

  private async acquire(claim: readonly Bucket[]): Promise<ClaimVerdict> {
    const locals = claim.map((bucket) => this.locals.of(bucket));
    for (const { lease } of locals) if (lease) lease.waiting += 1;
    try {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const now = this.now();
        const lacking = locals.filter(({ lease }) => !usable(lease, now));
        const idle = lacking.filter(({ lease }) => lease?.asking === undefined);
        if (idle.length > 0) void this.call(idle);
        await Promise.all(lacking.flatMap(({ lease }) => lease?.asking ?? []));
        const verdict = this.decide(claim, this.now());
        if (verdict) return verdict;
      }
    } finally {
      for (const { lease } of locals) if (lease) lease.waiting -= 1;
    }
    const verdict = await this.store.limits.take(claim);
    this.locals.remember(claim, verdict);
    return verdict;
  }

  /**
   * Reports what was used and asks for more, or gives everything back. One call for several buckets, and one at a time
   * for each of them: whoever needs one waits for it.
   */
  private call(locals: readonly LocalLimit[], givingBack = false): Promise<void> {
    const asking = this.exchange(locals, givingBack).finally(() => {
      for (const { lease } of locals) if (lease) lease.asking = undefined;
    });
    for (const { lease } of locals) if (lease) lease.asking = asking;
    // Whoever waits hears of it; a call that was made ahead has nobody to tell.
    asking.catch(() => undefined);
    return asking;
  }

  private async exchange(locals: readonly LocalLimit[], givingBack: boolean): Promise<void> {
    const sentAt = this.now();
    const requests = locals.map((local) => this.requestOf(local, givingBack, sentAt));
    const grants = await this.store.limits.lease(requests);
    let failure: Error | undefined;
    locals.forEach((local, i) => {
      const grant = grants[i] as LeaseGrant | Error;
      // What ails one bucket must not cost another one its tokens.
      if (grant instanceof Error) failure = grant;
      else this.receive(local, grant, requests[i]?.wanted ?? 0, sentAt);
    });
    if (failure) throw failure;
  }

  private requestOf(local: LocalLimit, givingBack: boolean, sentAt: number): LeaseRequest {
    const lease = local.lease as Lease;
    const { left, used, generation } = lease;
    const wanted = givingBack ? 0 : this.sizeOf(local, lease, sentAt);
    // What has expired here comes back, too: over there it may still be known.
    const keeping = !givingBack && holds(lease, sentAt);
    if (!keeping) lease.left = 0;
    lease.used = 0;
    lease.demand = 0;
    lease.askedAt = sentAt;
    return {
      bucket: local.limit,
      wanted,
      generation,
      used,
      returned: keeping ? 0 : left,
      held: keeping ? left : 0,
    };
  }

  private receive(local: LocalLimit, grant: LeaseGrant, wanted: number, sentAt: number): void {
    const lease = local.lease as Lease;
    if (!grant.kept) lease.left = lease.used = 0;
    lease.generation = grant.generation;
    lease.left += grant.granted;
    lease.expiresAt = sentAt + LEASE_TTL_MS;
    if (wanted > 0 && grant.granted === 0) {
      const now = this.now();
      lease.tokenAt = now + grant.retryAfterMs;
      // Others may give tokens back, and a limit may be raised, long before one has refilled.
      lease.dryUntil = Math.min(lease.tokenAt, now + HOLD_MS);
    }
    this.locals.heard(local, grant.remaining);
    if (lease.left > 0) this.follow(local);
  }

  /** What the demand since the last call makes of HOLD_MS, but never so much that other replicas go without. */
  private sizeOf(local: LocalLimit, lease: Lease, now: number): number {
    if (local.remaining < 0) return 1;
    const elapsed = Math.max(SHORTEST_MS, Math.min(LEASE_TTL_MS, now - lease.askedAt));
    const demand = Math.max(1, lease.waiting, Math.ceil((lease.demand * HOLD_MS) / elapsed));
    return Math.min(demand, Math.max(1, Math.floor(local.remaining / (4 * this.store.fleet.size))));
  }

  private leaseOf(bucket: Bucket): Lease {
    const local = this.locals.of(bucket);
    local.lease ??= {
      left: 0,
      used: 0,
      generation: 0,
      expiresAt: 0,
      dryUntil: 0,
      tokenAt: 0,
      demand: 0,
      askedAt: this.now(),
      wantedAt: 0,
      waiting: 0,
      asking: undefined,
    };
    return local.lease;
  }

  private follow(local: LocalLimit): void {
    this.active.add(local);
    this.timer ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  /** Gives back what nobody wants any more, and what is in the second half of its life. */
  private sweep(): void {
    const now = this.now();
    const idle: LocalLimit[] = [];
    for (const local of this.active) {
      const lease = local.lease as Lease;
      if (lease.asking) continue;
      // The use is reported as well: until then, or until the store forgets the lease, nothing refills in its place.
      if (now >= lease.expiresAt + LEASE_TTL_MS || lease.left + lease.used === 0) this.active.delete(local);
      else if (now - lease.wantedAt >= SWEEP_MS || now > lease.expiresAt - LEASE_TTL_MS / 2) idle.push(local);
    }
    if (idle.length > 0 && this.store.state === 'ready') void this.call(idle, true);
    if (this.active.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

function verdictOf(local: LocalLimit, lease: Lease, retryAfterMs: number): LimitVerdict {
  // A bucket that was never asked for is taken for full.
  const others = local.remaining < 0 ? local.limit.capacity : local.remaining;
  return { allowed: retryAfterMs === 0, remaining: others + lease.left, retryAfterMs };
}

function holds(lease: Lease, now: number): boolean {
  return lease.left > 0 && now < lease.expiresAt;
}

function usable(lease: Lease | undefined, now: number): boolean {
  return lease !== undefined && (holds(lease, now) || now < lease.dryUntil);
}
