import { randomBytes } from 'node:crypto';
import {
  freshBreaker,
  stepBreaker,
  viewOf,
  type BreakerRecord,
  type BreakerStep,
  type BreakerView,
} from '#libs/store';
import type { BreakerRules } from './breaker-policy';
import type { OutcomeWindow } from './outcome-window';
import { Permit, type ProbeOutcome } from './permit';
import type { SharedBreakers } from './shared-breakers';

export type Standing = BreakerView['state'];

/** Told of every change of state, in this process. */
export interface BreakerWitness {
  /** @param decided whether this process has brought it about, or learnt of it. */
  changed(breaker: Breaker, standing: Standing, decided: boolean): void;
}

/** When a process that got no permit asks again: one may have been given back without a word. */
const ASK_AGAIN_MS = 100;

/**
 * The circuit breaker of one target as this process knows it. Every replica counts for itself; that one of them opens it,
 * and who may probe, is decided in the store.
 */
export class Breaker {
  /** Closed, and known to be: the only thing that a request looks at while all is well. */
  passes: boolean;
  private record: BreakerRecord = freshBreaker();
  private announced: Standing = 'closed';
  private openingsAnnounced = 0;
  private askAgainAt = 0;
  private asking = 0;
  private learning: Promise<void> | undefined;
  /** Changed without the store, which has to hear of it. */
  private alone = false;
  /** The store is being told that it has opened: what was read before that is old. */
  private tripping = 0;

  /** @param shared undefined for a breaker that is nobody else's. */
  constructor(
    readonly key: string,
    public rules: BreakerRules,
    public window: OutcomeWindow,
    private readonly witness: BreakerWitness,
    private readonly shared?: SharedBreakers,
  ) {
    this.passes = shared === undefined;
  }

  /** How it stands, as far as this process knows. */
  view(now: number): BreakerView {
    return viewOf(this.record, now);
  }

  /** What the store would have to be asked for before a request may pass. */
  get doubtful(): boolean {
    return !this.passes && isClosed(this.record) && this.shared !== undefined;
  }

  /** No request passes, but for probes. */
  get shut(): boolean {
    return !isClosed(this.record);
  }

  /** Whether a request may be a probe, if a permit is left. */
  isDue(now: number): boolean {
    const { record, rules } = this;
    const over = record.state === 'open' && now >= record.until && now >= this.askAgainAt;
    return over && this.asking < rules.terms.probes;
  }

  /** Milliseconds until it is worth coming back. */
  retryAfterMs(now: number): number {
    const { state, until } = this.record;
    // Nobody knows when an operator changes his mind.
    return state === 'forced_open' ? this.rules.terms.openMs : Math.max(0, until - now);
  }

  /** It has changed, somewhere; a reading that is under way may be too old. */
  hear(): void {
    void (this.learning ? this.learning.then(() => this.learn()) : this.learn());
  }

  /** Something may have changed that this process has not heard of: it is asked before the next request. */
  doubt(): void {
    if (!this.shared) return;
    if (isClosed(this.record)) this.passes = false;
    else void this.learn();
  }

  /** Nobody can be asked: what was known last holds. */
  presume(): void {
    this.passes = isClosed(this.record);
  }

  /** Reads how it stands; any number of requests wait for one reading. Never rejects. */
  learn(): Promise<void> {
    return (this.learning ??= this.read().finally(() => (this.learning = undefined)));
  }

  /** Takes note of a request that was no probe. @param failures in a row, this one included. */
  note(failures: number, now: number): void {
    // What was under way when it opened says nothing new.
    if (this.shut || this.record.state === 'forced_closed') return;
    const reason = this.objection(failures);
    if (reason !== undefined) this.trip(reason, now);
  }

  /** Resolves to undefined if there is no permit left, or it is closed by now. */
  async ask(now: number): Promise<Permit | undefined> {
    const id = randomBytes(8).toString('hex');
    this.asking += 1;
    try {
      const view = await this.step({ do: 'permit', id, terms: this.rules.terms });
      if (!view.granted) {
        // By the clock of now: the store may have taken longer than that.
        if (view.state === 'half_open') this.askAgainAt = Math.max(now, Date.now()) + ASK_AGAIN_MS;
        return undefined;
      }
      if (view.succeeded === 0 && view.probing === 1) this.tell('half_open', true);
      const { generation } = view;
      return new Permit((outcome) => void this.settle(generation, id, outcome));
    } finally {
      this.asking -= 1;
    }
  }

  private async settle(generation: number, id: string, outcome: ProbeOutcome): Promise<void> {
    const reason = outcome === 'failed' ? 'a probe failed' : 'all probes succeeded';
    await this.step({ do: 'settle', generation, id, outcome, reason, terms: this.rules.terms });
    // The place is free again.
    if (outcome === 'void') this.askAgainAt = 0;
  }

  /** Shut at once; the others are told behind that. */
  private trip(reason: string, now: number): void {
    const { generation } = this.record;
    const step: BreakerStep = { do: 'trip', generation, reason, terms: this.rules.terms };
    this.decide(step, now);
    if (!this.shared) return;
    this.tripping += 1;
    void this.shared.step(this.key, step).then((view) => {
      this.tripping -= 1;
      if (view) this.adopt(view, Date.now(), true);
      else this.alone = true;
    });
  }

  /** In the store if it is there, and alone if not. */
  private async step(step: BreakerStep): Promise<BreakerView> {
    const view = await this.shared?.step(this.key, step);
    const now = Date.now();
    if (view) {
      this.adopt(view, now, true);
      return view;
    }
    this.alone = this.shared !== undefined;
    return this.decide(this.shared?.shareOf(step) ?? step, now);
  }

  /** In this process alone. */
  private decide(step: BreakerStep, now: number): BreakerView {
    const next = { ...this.record, permits: { ...this.record.permits } };
    const view = stepBreaker(next, step, now);
    this.adopt(view, now, true);
    this.record.permits = next.permits;
    this.record.forgetAt = next.forgetAt;
    return view;
  }

  private async read(): Promise<void> {
    const view = await this.shared?.step(this.key, this.question());
    if (this.tripping > 0) return;
    if (!view) return this.presume();
    this.alone = false;
    this.adopt(view, Date.now(), false);
  }

  /** What was opened while the store was away is opened for all that is left of it, now that there is one. */
  private question(): BreakerStep {
    const { state, until, reason } = this.record;
    const remainingMs = until - Date.now();
    const untold = this.alone && state === 'open' && remainingMs > 0;
    if (!untold) return { do: 'read' };
    const terms = { ...this.rules.terms, openMs: remainingMs, maxOpenMs: remainingMs };
    return { do: 'trip', generation: undefined, reason, terms };
  }

  private adopt(view: BreakerView, now: number, decided: boolean): void {
    const { record } = this;
    const { state, remainingMs, sinceMs, generation, openings, openMs, reason, succeeded } = view;
    if (generation !== record.generation) {
      this.window.clear();
      record.permits = {};
      this.askAgainAt = 0;
    }
    record.state = state === 'half_open' ? 'open' : state;
    record.until = state === 'open' ? now + remainingMs : Math.min(record.until, now);
    record.forgetAt = 0;
    record.since = generation > 0 ? now - sinceMs : 0;
    Object.assign(record, { generation, openings, openMs, reason, succeeded });
    this.passes = isClosed(record);
    if (state !== 'half_open') this.tell(state, decided);
  }

  private tell(standing: Standing, decided: boolean): void {
    const { openings } = this.record;
    const reopened = standing === 'open' && openings > this.openingsAnnounced;
    this.openingsAnnounced = openings;
    if (standing === this.announced && !reopened) return;
    this.announced = standing;
    this.witness.changed(this, standing, decided);
  }

  /** Why it should open. */
  private objection(failures: number): string | undefined {
    const { rules, window } = this;
    if (failures >= rules.failures) return `${failures} failures in a row`;
    const { requests, failed, slow } = window;
    if (requests < rules.minRequests) return undefined;
    if (failed * 100 >= rules.errorPercent * requests) return `${failed} of ${requests} requests failed`;
    if (slow * 100 < rules.slowPercent * requests) return undefined;
    return `${slow} of ${requests} requests were slower than ${rules.slowMs} ms`;
  }
}

function isClosed({ state }: BreakerRecord): boolean {
  return state === 'closed' || state === 'forced_closed';
}
