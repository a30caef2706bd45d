import type { Waiter } from './waiter';

/** Bounds of one tenant; undefined: none of its own. */
export interface LoadLimits {
  /** Requests under way, per process. */
  readonly maxConcurrency: number | undefined;
  /** Event streams and WebSockets open, per process. */
  readonly maxStreams: number | undefined;
}

/** What one tenant has under way in this process. */
export class Account {
  /** Requests under way. */
  inflight = 0;
  /** Event streams and WebSockets that are open and hold no slot any more. */
  streams = 0;
  /** Requests that wait for a slot, oldest first. */
  readonly queue: Waiter[] = [];
  /** Monotonic milliseconds when it last had something to do with us. */
  usedAt = 0;
  /** Those of the tenant as it was configured when it last called. */
  maxConcurrency: number | undefined = undefined;

  constructor(readonly id: string) {}

  /** Requests that have a slot or want one. */
  get demand(): number {
    return this.inflight + this.queue.length;
  }

  /** Whether its own bound leaves room for another request. */
  get mayGrow(): boolean {
    return this.maxConcurrency === undefined || this.inflight < this.maxConcurrency;
  }

  get isIdle(): boolean {
    return this.inflight === 0 && this.streams === 0 && this.queue.length === 0;
  }
}
