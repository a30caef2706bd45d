import { GatewayError } from '#libs/errors';
import { StoreUnavailableError, type Store } from '#libs/store';
import { GenerationalCache } from './generational-cache';

interface Entry<T> {
  readonly value: T;
  /** Epoch of the feed when the read began: a change since then would have been announced. */
  readonly epoch: number;
  /**
   * From when on it may be out of date, milliseconds since the epoch: when the read began, or when it was last used
   * while the feed vouched for everything.
   */
  vouchedAt: number;
}

interface Flight<T> {
  readonly promise: Promise<T | undefined>;
  /** The document changed while it was being read; what comes back may be the old one. */
  overtaken: boolean;
}

/** Unknown names are remembered apart and fewer of them, so that guessing cannot push out what is known. */
const MAX_ABSENT = 10_000;

/**
 * A bounded cache of documents that follows the store's change feed. Entries are trusted for as long as the feed
 * proves that no change was missed; while the store is away the known ones go on being served up to a stated age.
 */
export class FollowedCache<T extends NonNullable<unknown>> {
  private readonly known: GenerationalCache<Entry<T>>;
  private readonly absent = new GenerationalCache<Entry<undefined>>(MAX_ABSENT);
  private readonly flights = new Map<string, Flight<T>>();
  /** The latest epoch in which the feed was seen to miss nothing, and the last moment at which that was known. */
  private provenEpoch = NaN;
  private provenAt = 0;
  /** That epoch ended with a change of everything, and not with the loss of the feed. */
  private changedSince = false;

  /**
   * @param read resolves to undefined where there is nothing.
   * @param maxEntries bound of the cache.
   * @param maxStaleMs how long an entry may be served while the store is away.
   */
  constructor(
    private readonly store: Store,
    private readonly read: (name: string) => Promise<T | undefined>,
    maxEntries: number,
    private readonly maxStaleMs: number,
  ) {
    this.known = new GenerationalCache(maxEntries);
  }

  /**
   * The document, at once when it is cached.
   * @throws GatewayError store_unavailable when it is not known and the store is away.
   */
  get(name: string): T | undefined | Promise<T | undefined> {
    const entry = this.known.get(name);
    if (entry) return this.trusted(entry) ? entry.value : this.reread(name, entry);
    const absent = this.absent.get(name);
    if (absent && this.trusted(absent)) return undefined;
    return this.fetch(name).catch((error: unknown) => this.giveUp(error));
  }

  /** Forgets a document that has changed; undefined: any may have, and the feed has begun a new epoch. */
  invalidate(name: string | undefined): void {
    if (name === undefined) {
      this.changedSince = true;
      return;
    }
    this.known.delete(name);
    this.absent.delete(name);
    const flight = this.flights.get(name);
    if (flight) flight.overtaken = true;
  }

  private trusted(entry: Entry<unknown>): boolean {
    const { epoch, trustMs } = this.store.changes;
    const now = Date.now();
    this.observe(epoch, trustMs, now);
    if (entry.epoch !== epoch || now - entry.vouchedAt >= trustMs) return false;
    if (trustMs === Infinity) entry.vouchedAt = now;
    return true;
  }

  private observe(epoch: number, trustMs: number, now: number): void {
    // A feed that cannot see everything vouches for entries one by one, for as long as they are trusted.
    if (trustMs !== Infinity) return;
    this.provenEpoch = epoch;
    this.provenAt = now;
    this.changedSince = false;
  }

  /**
   * Until when the feed vouched for all entries of an epoch, asked for or not; 0 if that is not known. Milliseconds
   * since the epoch of the clock.
   */
  private vouchedUntil(epoch: number): number {
    if (epoch !== this.provenEpoch) return 0;
    const { changes } = this.store;
    // The feed's loss begins the next epoch. Nobody need have asked for anything since long before, so the last proof
    // that the feed knows of counts. A further epoch is one after a reconnection: its proof says nothing of this one.
    const lost = changes.trustMs === 0 && !this.changedSince && changes.epoch - epoch <= 1;
    if (lost) this.provenAt = Math.max(this.provenAt, Date.now() - changes.ageMs);
    return this.provenAt;
  }

  private reread(name: string, entry: Entry<T>): T | Promise<T | undefined> {
    const current = Math.max(entry.vouchedAt, this.vouchedUntil(entry.epoch));
    const usable = Date.now() - current < this.maxStaleMs;
    if (this.store.state !== 'ready' && usable) return entry.value;
    return this.fetch(name).catch((error: unknown) => {
      if (error instanceof StoreUnavailableError && usable) return entry.value;
      return this.giveUp(error);
    });
  }

  private giveUp(error: unknown): never {
    if (!(error instanceof StoreUnavailableError)) throw error;
    throw new GatewayError('store_unavailable', undefined, { cause: error, headers: { 'Retry-After': '1' } });
  }

  /** Single-flight: any number of requests for one document cause one read. */
  private fetch(name: string): Promise<T | undefined> {
    const current = this.flights.get(name);
    if (current && !current.overtaken) return current.promise;
    const flight: Flight<T> = { promise: this.load(name, () => flight.overtaken), overtaken: false };
    this.flights.set(name, flight);
    const done = (): void => {
      if (this.flights.get(name) === flight) this.flights.delete(name);
    };
    flight.promise.then(done, done);
    return flight.promise;
  }

  private async load(name: string, overtaken: () => boolean): Promise<T | undefined> {
    // Noted before the read: a change during it makes the entry old, not the other way round.
    const { epoch, trustMs } = this.store.changes;
    const readAt = Date.now();
    this.observe(epoch, trustMs, readAt);
    const vouchedAt = this.store.recalledAt ?? readAt;
    const value = await this.read(name);
    if (overtaken()) return this.fetch(name);
    if (value === undefined) {
      this.known.delete(name);
      this.absent.set(name, { value, epoch, vouchedAt });
    } else {
      this.absent.delete(name);
      this.known.set(name, { value, epoch, vouchedAt });
    }
    return value;
  }
}
