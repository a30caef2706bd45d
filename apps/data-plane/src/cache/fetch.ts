import {
  conditionsFor,
  dropConditions,
  type CacheOutcome,
  type ResponseStore,
  type StoredResponse,
} from '#libs/cache';
import { GatewayError } from '#libs/errors';
import { releaseTarget, tellTarget } from '../release-target';
import type { Flight, Flights, Landing } from './flights';
import type { Question } from './question';
import { Recording, type RecordingTerms } from './recording';

/** What a fetch needs from the cache. */
export interface FetchSurroundings {
  readonly store: ResponseStore;
  readonly flights: Flights;
  readonly budget: RecordingBudget;
  /** @throws GatewayError also as a rejection */
  forward(question: Question): void | Promise<void>;
  refuse(question: Question, error: unknown): void;
  /** Answers with what is stored, if that may be done. */
  serves(question: Question, stored: StoredResponse): boolean;
  answer(
    question: Question,
    stored: StoredResponse,
    outcome: CacheOutcome | undefined,
    cacheStatus: string,
    now: number,
  ): void;
  count(question: Question, outcome: CacheOutcome): void;
}

/** What may be recorded at the same time, and asked for with nobody waiting. */
export class RecordingBudget {
  private recorded = 0;
  private behind = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly maxBehind: number,
  ) {}

  reserve(bytes: number): boolean {
    if (this.recorded + bytes > this.maxBytes) return false;
    this.recorded += bytes;
    return true;
  }

  release(bytes: number): void {
    this.recorded -= bytes;
  }

  beginBehind(): boolean {
    if (this.behind >= this.maxBehind) return false;
    this.behind += 1;
    return true;
  }

  endBehind(): void {
    this.behind -= 1;
  }
}

/** What is fetched. */
interface Errand {
  /** What is stored already, but does not do by itself. */
  readonly stale: StoredResponse | undefined;
  /** Of the flight. */
  readonly name: string;
  /** Undefined: nobody may wait for it. */
  readonly flight?: Flight;
  /** Nobody waits for the answer; it has been counted by `RecordingBudget.beginBehind`. */
  readonly behind?: boolean;
}

/** Gets what is missing, or whether what is stored still holds: from the other replicas, or from the upstream. */
export class Fetch implements RecordingTerms {
  stale: StoredResponse | undefined;
  readonly behind: boolean;
  private readonly name: string;
  private readonly flight: Flight | undefined;
  private mark: string | undefined;
  private moment = 0;
  private reserved = 0;
  private ended = false;

  constructor(
    private readonly question: Question,
    errand: Errand,
    private readonly house: FetchSurroundings,
  ) {
    this.stale = errand.stale;
    this.name = errand.name;
    this.flight = errand.flight;
    this.behind = errand.behind ?? false;
  }

  start(): void {
    const { question, house, flight } = this;
    // Whoever goes alone wants the upstream itself.
    if (!flight || !house.store.shares) return this.askUpstream();
    void house.store
      .findShared(question.located, question.purges)
      .then((found) => {
        this.mark = found?.mark;
        this.goOnWith(found?.response);
      })
      .catch((error: unknown) => this.fail(error));
  }

  isAwaited(): boolean {
    return this.flight?.isAwaited ?? false;
  }

  reserve(bytes: number): boolean {
    if (!this.house.budget.reserve(bytes)) return false;
    this.reserved += bytes;
    return true;
  }

  answer(stored: StoredResponse, outcome: CacheOutcome | undefined, cacheStatus: string, now: number): void {
    if (!this.behind) this.house.answer(this.question, stored, outcome, cacheStatus, now);
  }

  missed(): void {
    if (!this.behind) this.house.count(this.question, 'miss');
  }

  store(stored: StoredResponse): void {
    const { house, question, name, moment, mark } = this;
    house.flights.noteStorable(name);
    house.store.put(question.located, stored, moment, mark);
  }

  forget(stored: StoredResponse): void {
    const { tenantId, key } = this.question.located;
    this.house.store.shelf(tenantId).remove(key, stored);
  }

  told(status: number | undefined, error?: GatewayError): void {
    tellTarget(this.question.context, status ?? error?.status ?? 502, error);
  }

  askAgain(): void {
    const { context, located } = this.question;
    releaseTarget(context, 304);
    context.target = undefined;
    context.upstreamHeaders.splice(0, Infinity, ...located.headers);
    this.stale = undefined;
    setImmediate(() => this.askUpstream());
  }

  land(landing: Landing): void {
    if (landing.kind === 'alone' && !this.stale) this.house.flights.noteUnstorable(this.name, Date.now());
    this.flight?.land(landing);
  }

  over(status: number | undefined): void {
    const { house, question, behind } = this;
    house.budget.release(this.reserved);
    this.reserved = 0;
    if (!behind || this.ended) return;
    this.ended = true;
    house.budget.endBehind();
    releaseTarget(question.context, status ?? 502);
  }

  private goOnWith(shared: StoredResponse | undefined): void {
    const { question, house, flight, stale, behind } = this;
    const newer = shared && shared.storedAt > (stale?.storedAt ?? 0) ? shared : undefined;
    const done =
      newer && (behind ? newer.age(Date.now()) < newer.terms.lifetimeMs : house.serves(question, newer));
    // One that has gone cannot ask for others; the first of those that wait does.
    if (!done && !question.gone) {
      if (newer) this.stale = newer;
      return this.askUpstream();
    }
    this.over(undefined);
    flight?.land({ kind: done ? 'stored' : 'again' });
  }

  private askUpstream(): void {
    const { question, house, stale, behind } = this;
    const { context, located } = question;
    if (question.gone) return this.left();
    this.moment = house.store.shelf(located.tenantId).moment;
    const recording = new Recording(question, this);
    context.observer = recording;
    dropConditions(context.upstreamHeaders);
    if (stale) context.upstreamHeaders.push(...conditionsFor(stale));
    // No upstream was asked at all: none was permitted, or none is there.
    const failed = (error: unknown): void => {
      const cause = error instanceof Error ? error : new Error(String(error));
      const refusal =
        error instanceof GatewayError ? error : new GatewayError('internal_error', undefined, { cause });
      if (!recording.failed(refusal) && !behind) house.refuse(question, error);
    };
    try {
      const asked = house.forward(question);
      // Its client may have gone while a breaker was asked about the target, and nothing was sent then.
      if (asked instanceof Promise) asked.then(() => question.gone && this.left(), failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Nobody has asked the upstream; one of those who wait may. */
  private left(): void {
    this.over(undefined);
    this.land({ kind: 'again' });
  }

  private fail(error: unknown): void {
    this.over(undefined);
    this.flight?.land({ kind: 'failed' });
    if (!this.behind) this.house.refuse(this.question, error);
  }
}
