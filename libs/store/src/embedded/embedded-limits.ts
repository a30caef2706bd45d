import {
  isBudget,
  type Charge,
  type Claim,
  type ClaimVerdict,
  type LeaseGrant,
  type LeaseRequest,
  type Limit,
  type Limits,
} from '../store';
import { charge, draw, freshLevel, hasRoom, lease, peek, verdict, type LimitLevel } from '../token-bucket';

interface Entry {
  readonly level: LimitLevel;
  limit: Limit;
}

const FIRST_SWEEP = 10_000;

/** Limits in memory, for the one process there is. A bucket that has refilled is forgotten: it says nothing any more. */
export class EmbeddedLimits implements Limits {
  private readonly entries = new Map<string, Entry>();
  private sweepAt = FIRST_SWEEP;

  /** @param now milliseconds since the epoch. */
  constructor(private readonly now: () => number) {}

  take(claim: Claim): ClaimVerdict {
    const now = this.now();
    const levels = claim.map((limit) => this.level(limit, now));
    const room = claim.map((limit, i) => hasRoom(levels[i] as LimitLevel, limit, now));
    const allowed = !room.includes(false);
    const verdicts = claim.map((limit, i) => {
      const level = levels[i] as LimitLevel;
      if (allowed) draw(level, limit);
      return verdict(level.units, limit, room[i] === true);
    });
    return { allowed, verdicts };
  }

  peek(claim: Claim): ClaimVerdict {
    const now = this.now();
    const verdicts = claim.map((limit) =>
      peek(this.entries.get(limit.key)?.level ?? freshLevel(limit, now), limit, now),
    );
    return { allowed: verdicts.every((one) => one.allowed), verdicts };
  }

  charge(charges: readonly Charge[]): readonly Charge[] {
    const now = this.now();
    for (const [limit, amount] of charges) charge(this.level(limit, now), limit, amount, now);
    return [];
  }

  forget(limits: readonly string[]): Promise<void> {
    for (const key of limits) this.entries.delete(key);
    return Promise.resolve();
  }

  lease(requests: readonly LeaseRequest[]): readonly LeaseGrant[] {
    const now = this.now();
    return requests.map((request) => lease(this.level(request.bucket, now), request, now));
  }

  private level(limit: Limit, now: number): LimitLevel {
    let entry = this.entries.get(limit.key);
    if (!entry) {
      if (this.entries.size >= this.sweepAt) this.sweep(now);
      entry = { level: freshLevel(limit, now), limit };
      this.entries.set(limit.key, entry);
    }
    entry.limit = limit;
    return entry.level;
  }

  /** Runs when the map has doubled since the last time, so its cost per request stays constant. */
  private sweep(now: number): void {
    for (const [key, { level, limit }] of this.entries)
      if (isOver(level, limit, now)) this.entries.delete(key);
    this.sweepAt = Math.max(FIRST_SWEEP, this.entries.size * 2);
  }
}

function isOver(level: LimitLevel, limit: Limit, now: number): boolean {
  if (isBudget(limit)) return limit.endsAt > 0 && now >= limit.endsAt;
  return peek(level, limit, now).remaining === limit.capacity;
}
