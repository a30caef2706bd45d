import { StoreUnavailableError, type Claim, type ClaimVerdict, type Limit, type Store } from '#libs/store';
import { Leases } from './leases';
import { LocalLimits } from './local-limits';
import { Shares } from './shares';

/** How claims are decided: `exact` asks the store for every request, `leased` takes tokens ahead of them. */
export type RateLimitMode = 'exact' | 'leased';

/**
 * Takes a request's worth from all of its limits or from none: in the store; from tokens on lease; or, while the store
 * is away, from this process's share of each limit, so that all replicas together stay within it.
 */
export class RateLimiter {
  private readonly locals: LocalLimits;
  private readonly shares: Shares;
  private readonly leases: Leases | undefined;
  /** Claims decided from this process's share, since its start. */
  sharesTaken = 0;

  /** @param now milliseconds since the epoch. */
  constructor(
    private readonly store: Store,
    mode: RateLimitMode = 'exact',
    now: () => number = Date.now,
  ) {
    this.locals = new LocalLimits(now);
    this.shares = new Shares(store, this.locals, now);
    this.leases = mode === 'leased' ? new Leases(store, this.locals) : undefined;
  }

  /** Rejects with StoreUnavailableError where a budget is needed of which nothing is known. */
  take(claim: Claim): ClaimVerdict | Promise<ClaimVerdict> {
    if (this.store.state !== 'ready') return this.takeShare(claim);
    if (this.shares.owing) void this.shares.settle();
    if (this.leases?.suits(claim)) {
      const verdict = this.leases.take(claim);
      return verdict instanceof Promise ? verdict.catch((error) => this.stayUp(claim, error)) : verdict;
    }
    const verdict = this.store.limits.take(claim);
    if (!(verdict instanceof Promise)) return verdict;
    return verdict.then(
      (decided) => {
        this.locals.remember(claim, decided);
        return decided;
      },
      (error: unknown) => this.stayUp(claim, error),
    );
  }

  /** The state of a claim, touching nothing. */
  peek(claim: Claim): ClaimVerdict | Promise<ClaimVerdict> {
    return this.store.limits.peek(claim);
  }

  /** Gives back what a request took of a budget and did not use after all. */
  refund(limit: Limit, amount: number): void {
    this.shares.refund(limit, amount);
  }

  /** Returns what is on lease and pays what is owed. */
  async close(): Promise<void> {
    await Promise.all([this.shares.close(), this.leases?.close()]);
  }

  /** Stay up on counting: whatever ails a bucket, nobody is let in for free or turned away with a 500. */
  private stayUp(claim: Claim, error: unknown): ClaimVerdict | Promise<ClaimVerdict> {
    if (error instanceof StoreUnavailableError || (error as Error).message.startsWith('WRONGTYPE')) {
      return this.takeShare(claim);
    }
    throw error;
  }

  /** One way to fail, whether the store is known to be away or turns out to be. */
  private takeShare(claim: Claim): ClaimVerdict | Promise<ClaimVerdict> {
    this.sharesTaken += 1;
    try {
      return this.shares.take(claim);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
