import { Account } from './account';
import { Ranking } from './ranking';
import { Waiter, type ShedReason } from './waiter';

export interface FairSlotsTerms {
  /** Requests under way in this process; Infinity for any number. */
  readonly limit: number;
  /** Requests that may wait, of all tenants together. */
  readonly maxQueued: number;
  /** How long each may wait, milliseconds. */
  readonly queueMs: number;
}

/** What has become of a request: it has a slot, it waits for one, or it is shed. */
export type Entry = true | Waiter | ShedReason;

/** Part of the limit that nobody above its share may use while there are others: whoever is below gets in at once. */
const HEADROOM = 1 / 8;
/** How long a tenant that has become quiet counts as one that may come back at any moment. */
const REMEMBERED_MS = 60_000;
/** Looking through all accounts is done at most so often. */
const SWEEP_MS = 30_000;

/**
 * Slots for requests under way, shared fairly (max-min): a tenant's share is the limit divided by the tenants that want
 * some. What others leave is anybody's, but for some headroom. A tenant below its share gets in at once; among those that
 * wait the one with the fewest under way is next; and where the queue is full, the newest request of the tenant that has and
 * wants the most makes room. So no tenant below its share is shed because of one above it. Per process: replicas know nothing
 * of each other.
 *
 * Bounds: an account for each tenant with something under way or in the last minute, `maxQueued` waiters.
 */
export class FairSlots {
  /** Requests that have a slot. */
  inflight = 0;
  /** Requests that wait for one. */
  queued = 0;
  private limitNow: number;
  private readonly accounts = new Map<string, Account>();
  /** Accounts with a slot or in want of one. */
  private active = 0;
  /** Accounts whose next waiter only needs a slot, by how many they have. */
  private readonly byInflight = new Ranking<Account>();
  /** Accounts with waiters, by what they have and want together. */
  private readonly byDemand = new Ranking<Account>();
  private sweptAt = 0;

  constructor(private readonly terms: FairSlotsTerms) {
    this.limitNow = terms.limit;
  }

  /** Infinity for none. */
  get limit(): number {
    return this.limitNow;
  }

  /** A lower limit takes no slot away; it is reached as requests end. */
  set limit(limit: number) {
    this.limitNow = limit;
    this.serve();
  }

  /** @param now monotonic milliseconds. */
  account(tenantId: string, now: number): Account {
    let account = this.accounts.get(tenantId);
    if (!account) {
      account = new Account(tenantId);
      this.accounts.set(tenantId, account);
    }
    account.usedAt = now;
    if (now - this.sweptAt > SWEEP_MS) this.sweep(now);
    return account;
  }

  /** Asks for a slot. Whoever gets one, or waits, gives it back by `leave` or `cancel`. */
  enter(account: Account): Entry {
    if (account.queue.length === 0 && this.maySlot(account)) {
      this.take(account);
      return true;
    }
    return this.wait(account);
  }

  leave(account: Account): void {
    this.unrank(account);
    account.inflight -= 1;
    this.inflight -= 1;
    this.rank(account);
    if (account.demand === 0) this.active -= 1;
    if (this.queued > 0) this.serve();
  }

  /** The request is gone. A waiter that has had its slot is not one any more: `leave` is for those. */
  cancel(waiter: Waiter): void {
    waiter.forget();
    this.drop(waiter);
  }

  /** Accounts in memory. */
  get known(): number {
    return this.accounts.size;
  }

  /** Whether there is a slot for one more request of the tenant. */
  private maySlot(account: Account): boolean {
    const free = this.limitNow - this.inflight;
    if (free <= 0 || !account.mayGrow) return false;
    if (this.limitNow === Infinity) return true;
    // Somebody who was here a moment ago counts, or there would be no place for its next request.
    const wanting = this.active + (account.demand === 0 ? 1 : 0);
    const claimants = Math.min(Math.max(this.accounts.size, wanting), wanting + 1);
    if (account.inflight < Math.floor(this.limitNow / claimants)) return true;
    return claimants === 1 || account.inflight === 0 || free > Math.ceil(this.limitNow * HEADROOM);
  }

  private take(account: Account): void {
    if (account.demand === 0) this.active += 1;
    account.inflight += 1;
    this.inflight += 1;
  }

  private wait(account: Account): Waiter | ShedReason {
    const { maxQueued, queueMs } = this.terms;
    const full = account.mayGrow ? 'gateway_full' : 'tenant_full';
    if (maxQueued === 0) return full;
    if (this.queued >= maxQueued && !this.makeRoom(account)) return full;
    const waiter = new Waiter(account);
    waiter.limitTo(queueMs, () => {
      this.drop(waiter);
      waiter.end('queue_timeout');
    });
    if (account.demand === 0) this.active += 1;
    this.unrank(account);
    account.queue.push(waiter);
    this.queued += 1;
    this.rank(account);
    return waiter;
  }

  /** Sheds the newest waiter of whoever has the most, unless that is the one who asks, or has no more than it would. */
  private makeRoom(account: Account): boolean {
    const greediest = this.byDemand.greatest();
    if (!greediest || greediest.demand <= account.demand + 1) return false;
    const victim = greediest.queue.at(-1) as Waiter;
    this.drop(victim);
    victim.end('gateway_full');
    return true;
  }

  /** Takes a waiter out of its queue; nothing happens where it is in none. */
  private drop(waiter: Waiter): void {
    const { account } = waiter;
    // The oldest, whose time is over, or the newest, which makes room.
    const place = account.queue.at(-1) === waiter ? account.queue.length - 1 : account.queue.indexOf(waiter);
    if (place < 0) return;
    this.unrank(account);
    account.queue.splice(place, 1);
    this.queued -= 1;
    this.rank(account);
    if (account.demand === 0) this.active -= 1;
  }

  /** Gives out what slots there are, to the tenant with the fewest first. */
  private serve(): void {
    for (let next = this.byInflight.least(); next; next = this.byInflight.least()) {
      if (!next.mayGrow) {
        // Its bound was lowered while it waited.
        this.byInflight.delete(next, next.inflight);
        continue;
      }
      if (!this.maySlot(next)) return;
      this.unrank(next);
      const waiter = next.queue.shift() as Waiter;
      this.queued -= 1;
      next.inflight += 1;
      this.inflight += 1;
      this.rank(next);
      waiter.end(undefined);
    }
  }

  /** To be done before its numbers change … */
  private unrank(account: Account): void {
    if (account.queue.length === 0) return;
    this.byInflight.delete(account, account.inflight);
    this.byDemand.delete(account, account.demand);
  }

  /** … and this after. */
  private rank(account: Account): void {
    if (account.queue.length === 0) return;
    // One that is at its own bound waits for itself.
    if (account.mayGrow) this.byInflight.add(account, account.inflight);
    this.byDemand.add(account, account.demand);
  }

  private sweep(now: number): void {
    this.sweptAt = now;
    for (const [id, account] of this.accounts)
      if (account.isIdle && now - account.usedAt > REMEMBERED_MS) this.accounts.delete(id);
  }
}
