import type { Claim, ClaimVerdict, Limit, LimitLevel } from '#libs/store';
import { GenerationalCache } from '#libs/tenants';

/** What this process may give out of a limit while the store is away. */
export interface Share {
  /** The limit divided by the live replicas. */
  readonly limit: Limit;
  readonly level: LimitLevel;
  readonly replicas: number;
}

/** Tokens of a bucket that this process has taken ahead of their requests. */
export interface Lease {
  left: number;
  /** Used since they were last reported. */
  used: number;
  generation: number;
  /** Monotonic milliseconds after which the tokens are void; so are all times below. */
  expiresAt: number;
  /** Nobody asks again before. */
  dryUntil: number;
  /** When the store expects the next token. */
  tokenAt: number;
  /** Requests since the last call, and when that was: what the next one asks for. */
  demand: number;
  askedAt: number;
  /** When somebody last wanted a token, and how many do that have to wait for it. */
  wantedAt: number;
  waiting: number;
  /** The call under way. */
  asking: Promise<void> | undefined;
}

/** What one process knows of one limit. */
export class LocalLimit {
  /** What the store last said was left, and when (milliseconds since the epoch); -1 if it never was asked. */
  remaining = -1;
  seenAt = 0;
  share: Share | undefined = undefined;
  lease: Lease | undefined = undefined;

  constructor(
    readonly owner: LocalLimits,
    public limit: Limit,
  ) {}
}

/** Limits that a process remembers; the rest start anew, which errs on neither side by more than a share. */
const MAX_LIMITS = 200_000;

/** What this process keeps beside the limits that it uses; outlives the configuration that named them. */
export class LocalLimits {
  private readonly byKey = new GenerationalCache<LocalLimit>(MAX_LIMITS);

  /** @param now milliseconds since the epoch. */
  constructor(private readonly now: () => number) {}

  of(limit: Limit): LocalLimit {
    const local = limit.local as LocalLimit | undefined;
    if (local?.owner === this) return local;
    let known = this.byKey.get(limit.key);
    if (known) known.limit = limit;
    else this.byKey.set(limit.key, (known = new LocalLimit(this, limit)));
    limit.local = known;
    return known;
  }

  /** Notes what the store has said. Only that ends a share: one that began anew with every failure would have no end. */
  heard(local: LocalLimit, remaining: number): void {
    local.remaining = remaining;
    local.seenAt = this.now();
    local.share = undefined;
  }

  remember(claim: Claim, { verdicts }: ClaimVerdict): void {
    for (let i = 0; i < claim.length; i++) {
      const local = this.of(claim[i] as Limit);
      this.heard(local, verdicts[i]?.remaining ?? local.remaining);
    }
  }
}
