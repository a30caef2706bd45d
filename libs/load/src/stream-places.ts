import type { Account } from './account';

/** Part that nobody above its share may use while there are others, as for slots. */
const HEADROOM = 1 / 8;

/** Places for event streams and WebSockets. Nobody can wait for one, so the last places are for those with few. */
export class StreamPlaces {
  /** Places that are taken. */
  taken = 0;
  /** Tenants that have some. */
  private tenants = 0;

  /** @param max Infinity for any number. */
  constructor(private readonly max: number) {}

  get bounded(): boolean {
    return this.max !== Infinity;
  }

  /** @param most of this tenant; undefined for no bound of its own. */
  take(account: Account, most: number | undefined): boolean {
    if (most !== undefined && account.streams >= most) return false;
    if (!this.isFreeFor(account)) return false;
    if (account.streams === 0) this.tenants += 1;
    account.streams += 1;
    this.taken += 1;
    return true;
  }

  release(account: Account): void {
    account.streams -= 1;
    this.taken -= 1;
    if (account.streams === 0) this.tenants -= 1;
  }

  private isFreeFor({ streams }: Account): boolean {
    const free = this.max - this.taken;
    if (free <= 0) return false;
    // There may always be one more who has none yet.
    const share = Math.floor(this.max / (this.tenants + 1));
    return streams === 0 || streams < share || free > Math.ceil(this.max * HEADROOM);
  }
}
