import {
  StoreUnavailableError,
  charge,
  draw,
  isBudget,
  type Budget,
  freshLevel,
  hasRoom,
  verdict,
  type Claim,
  type ClaimVerdict,
  type Limit,
  type Store,
} from '#libs/store';
import type { LocalLimit, LocalLimits, Share } from './local-limits';

/** How soon after its return the store hears what was given out without it. */
const SETTLE_INTERVAL_MS = 25;
/** Intervals before what a store that is there could not take is tried again: one node of a cluster may be away. */
const RETRY_INTERVALS = 10;

/**
 * Limits while the store is away: each replica gives out its share, which is the limit divided by the live replicas and
 * continues from what was last seen. What it gave out is charged as soon as the store is back.
 */
export class Shares {
  private debts = new Map<string, { limit: Limit; amount: number }>();
  private timer: NodeJS.Timeout | undefined;
  /** Intervals left before the next attempt. */
  private pause = 0;

  /** @param now milliseconds since the epoch. */
  constructor(
    private readonly store: Store,
    private readonly locals: LocalLimits,
    private readonly now: () => number,
  ) {}

  /** Whether the store has to hear something before it decides again. */
  get owing(): boolean {
    return this.debts.size > 0 && this.pause === 0;
  }

  /** @throws StoreUnavailableError for a budget of which nothing is known: money is not given out on a guess. */
  take(claim: Claim): ClaimVerdict {
    const now = this.now();
    const shares = claim.map((limit) => this.shareOf(limit, now));
    const room = shares.map(({ limit, level }) => hasRoom(level, limit, now));
    const allowed = !room.includes(false);
    const verdicts = shares.map(({ limit, level }, i) => {
      if (allowed) {
        draw(level, limit);
        this.owe(claim[i] as Limit, isBudget(limit) ? limit.cost : 1);
      }
      return verdict(level.units, limit, room[i] === true);
    });
    return { allowed, verdicts };
  }

  /** Gives back what was taken of a budget. Refunds of one turn of the event loop share a call. */
  refund(limit: Limit, amount: number): void {
    const { share } = this.locals.of(limit);
    if (share) charge(share.level, share.limit, -amount, this.now());
    this.owe(limit, -amount);
    setImmediate(() => this.owing && this.store.state === 'ready' && void this.settle());
  }

  /** Charges all debts; never rejects. Whatever is asked of the store after this call finds them paid. */
  async settle(): Promise<void> {
    this.stop();
    const charges = [...this.debts.values()].map(({ limit, amount }) => [limit, amount] as const);
    this.debts = new Map();
    try {
      const failed = await this.store.limits.charge(charges);
      for (const [limit, amount] of failed) this.owe(limit, amount);
      if (failed.length > 0 && this.store.state === 'ready') this.pause = RETRY_INTERVALS;
    } catch {
      // What is wrong for another reason than absence would be wrong the next time, too.
    }
  }

  async close(): Promise<void> {
    if (this.debts.size > 0 && this.store.state === 'ready') await this.settle();
    this.stop();
  }

  /** Notes what the store has to take, or give back where the amount is negative. */
  private owe(limit: Limit, amount: number): void {
    const debt = this.debts.get(limit.key);
    if (debt) debt.amount += amount;
    else this.debts.set(limit.key, { limit, amount });
    this.timer ??= setInterval(() => this.tick(), SETTLE_INTERVAL_MS).unref();
  }

  private tick(): void {
    if (this.store.state !== 'ready') this.pause = 0;
    else if (this.pause > 0) this.pause -= 1;
    else void this.settle();
  }

  private stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private shareOf(limit: Limit, now: number): Share {
    const local = this.locals.of(limit);
    // One that an earlier absence has left is as good as a new one, unless there were fewer to share with.
    if (local.share?.replicas !== this.store.fleet.size) {
      local.share = isBudget(limit) ? this.budgetShare(limit, local) : this.bucketShare(limit, local, now);
    }
    // The same budget at another cost, or the same bucket with another capacity, is still the same share.
    return isBudget(limit)
      ? { ...local.share, limit: { ...local.share.limit, cost: limit.cost } as Limit }
      : local.share;
  }

  private bucketShare(limit: Limit, { remaining, seenAt }: LocalLimit, now: number): Share {
    const replicas = this.store.fleet.size;
    const tokens = limit.capacity / replicas;
    // A share below one token refills just as slowly, but must be able to hold the token it refills to.
    const capacity = Math.max(1, Math.floor(tokens));
    const windowMs = Math.ceil((capacity / tokens) * limit.windowMs);
    const refilled =
      remaining < 0 ? limit.capacity : remaining + ((now - seenAt) * limit.capacity) / limit.windowMs;
    const start = Math.min(tokens, capacity, refilled / replicas);
    const share = { key: limit.key, capacity, windowMs };
    return { limit: share, level: { ...freshLevel(share, now), units: start * windowMs }, replicas };
  }

  private budgetShare(limit: Budget, { remaining }: LocalLimit): Share {
    if (remaining < 0) throw new StoreUnavailableError();
    const replicas = this.store.fleet.size;
    const share: Limit = { ...limit, capacity: Math.floor(remaining / replicas), local: undefined };
    return { limit: share, level: freshLevel(share, 0), replicas };
  }
}
