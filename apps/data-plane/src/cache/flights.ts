import { setImmediate } from 'node:timers';
import type { StoredResponse } from '#libs/cache';

/**
 * What came of the request that others waited for: it is `stored`; something stored `stoodIn` for an upstream
 * that failed; it `failed`, or cannot be stored, and everybody goes `alone`; whoever asked has gone, and it is to be asked
 * `again`.
 */
export type Landing =
  | { readonly kind: 'stored' | 'alone' | 'failed' | 'again' }
  | { readonly kind: 'stoodIn'; readonly response: StoredResponse; readonly status: number | undefined };

/** A request for something that others want as well. */
export class Flight {
  private waiters: Array<(landing: Landing) => void> = [];
  private landed = false;
  private timer: NodeJS.Timeout | undefined;

  /** @param forget called when nobody can join any more */
  constructor(
    private readonly forget: () => void,
    private readonly patienceMs: number,
  ) {}

  get isAwaited(): boolean {
    return this.waiters.length > 0;
  }

  /** Calls when it has landed, or after the time that anybody waits for another's request. */
  wait(then: (landing: Landing) => void): void {
    this.waiters.push(then);
    // The one who has waited longest has waited long enough for all: whoever comes later gets a new flight.
    this.timer ??= setTimeout(() => this.land({ kind: 'failed' }), this.patienceMs);
  }

  land(landing: Landing): void {
    if (this.landed) return;
    this.landed = true;
    clearTimeout(this.timer);
    this.forget();
    const { waiters } = this;
    this.waiters = [];
    if (waiters.length === 0) return;
    // The response that they waited for goes out first.
    setImmediate(() => {
      for (const waiter of waiters) waiter(landing);
    });
  }
}

/** How long anybody waits for another's request: longer than most answers take, shorter than clients give up. */
const PATIENCE_MS = 5000;
/** How long it is remembered that what lies under a key cannot be stored: nobody waits for it in vain again. */
const UNSTORABLE_MS = 10_000;
const MAX_UNSTORABLE = 10_000;
/** Longer keys are not worth their memory. */
const MAX_NOTED = 1024;

/** Requests under way, one for each key; and the keys where waiting for them is of no use. */
export class Flights {
  private readonly flights = new Map<string, Flight>();
  private readonly unstorable = new Map<string, number>();

  find(key: string): Flight | undefined {
    return this.flights.get(key);
  }

  begin(key: string): Flight {
    const flight: Flight = new Flight(() => {
      if (this.flights.get(key) === flight) this.flights.delete(key);
    }, PATIENCE_MS);
    this.flights.set(key, flight);
    return flight;
  }

  /** @param now milliseconds since the epoch */
  isUnstorable(key: string, now: number): boolean {
    const until = this.unstorable.get(key);
    if (until === undefined) return false;
    if (now < until) return true;
    this.unstorable.delete(key);
    return false;
  }

  noteUnstorable(key: string, now: number): void {
    if (key.length > MAX_NOTED) return;
    this.unstorable.delete(key);
    this.unstorable.set(key, now + UNSTORABLE_MS);
    if (this.unstorable.size > MAX_UNSTORABLE)
      this.unstorable.delete(this.unstorable.keys().next().value as string);
  }

  noteStorable(key: string): void {
    this.unstorable.delete(key);
  }
}
