import type { Account } from './account';

/** Why a request got no slot. */
export type ShedReason = 'gateway_full' | 'tenant_full' | 'service_full' | 'queue_timeout' | 'streams_full';

/** How a wait ends: `undefined` with a slot. */
export type Verdict = ShedReason | undefined;

/** A request that waits for a slot. */
export class Waiter {
  private timer: NodeJS.Timeout | undefined;
  /** It has its slot. */
  granted = false;
  private settle: ((verdict: Verdict) => void) | undefined;
  readonly promise: Promise<Verdict>;

  constructor(readonly account: Account) {
    this.promise = new Promise((resolve) => (this.settle = resolve));
  }

  /** @param expired called when its time is over. */
  limitTo(ms: number, expired: () => void): void {
    this.timer = setTimeout(expired, ms);
  }

  end(verdict: Verdict): void {
    clearTimeout(this.timer);
    this.granted = verdict === undefined;
    this.settle?.(verdict);
    this.settle = undefined;
  }

  /** Nobody waits for the answer any more, and what hangs on the promise goes with it. */
  forget(): void {
    clearTimeout(this.timer);
    this.settle = undefined;
  }
}
