import type { ServerResponse } from 'node:http';
import {
  StoredResponse,
  cachePolicyOf,
  hitStatus,
  forwardedStatus,
  standsIn,
  storeFields,
  usability,
  variantKey,
  type CacheOutcome,
  type Forwarded,
  type ResponseStore,
} from '#libs/cache';
import { GatewayError } from '#libs/errors';
import type { GatewayRequest } from '#libs/guards';
import type { CacheMetrics } from '#libs/metrics';
import type { ServedCachePolicy } from '#libs/tenants';
import type { Refuse } from '../upstream/upstream-errors';
import { backgroundRequest } from './background';
import { Fetch, RecordingBudget, type FetchSurroundings } from './fetch';
import { Flights, type Landing } from './flights';
import { Invalidating, Passing } from './passing';
import { Question, questionOf } from './question';
import { answerFromStore, type AnswerTerms } from './stored-answer';

/** What the cache needs from the rest of the data plane. */
interface Surroundings extends AnswerTerms {
  readonly store: ResponseStore;
  readonly metrics: CacheMetrics;
  readonly forward: (request: GatewayRequest, response: ServerResponse) => void | Promise<void>;
  readonly refuse: Refuse;
}

/** Requests for what is stored already that are under way with nobody waiting for them. */
const MAX_BEHIND = 64;
/** Of the memory for responses: what may be recorded at the same time. */
const RECORDING_SHARE = 4;

/**
 * The step of the request path between the limits and the choice of a target: answers a request from the store, or lets it
 * go on to its upstream and records what comes back (RFC 9111). A request that is answered here has passed every guard and is
 * counted by every limit; whether it is billed the tenant's plan says.
 */
export class ResponseCache implements FetchSurroundings {
  readonly flights = new Flights();
  readonly budget: RecordingBudget;
  readonly store: ResponseStore;

  constructor(private readonly house: Surroundings) {
    this.store = house.store;
    this.budget = new RecordingBudget(house.store.memory.maxBytes / RECORDING_SHARE, MAX_BEHIND);
  }

  /**
   * Takes a request that is perhaps answered from the store. Where there is no cache policy it costs one look.
   * @returns false: it goes on to its upstream by itself.
   */
  takes(request: GatewayRequest, response: ServerResponse): boolean {
    const policy = cachePolicyOf(request.context);
    return policy !== undefined && this.considers(request, response, policy);
  }

  private considers(request: GatewayRequest, response: ServerResponse, policy: ServedCachePolicy): boolean {
    const { context } = request;
    const { store } = this.house;
    if (store.off) return false;
    const fields = storeFields(context, policy);
    if (typeof fields === 'string') {
      if (fields === 'invalidates') context.observer = new Invalidating(context, store);
      else if (fields === 'request') this.pass(request, 'request');
      else if (fields !== 'none') this.pass(request, 'bypass', fields);
      return false;
    }
    const question = questionOf(request, response, policy, fields);
    const purges = store.purges.of(question.located.tenantId);
    if (purges instanceof Promise) {
      const without = (): void => this.goOn(question, 'bypass', 'purges-unknown');
      void purges
        .then((known) => this.look(Object.assign(question, { purges: known })), without)
        .catch(this.fail(question));
    } else {
      question.purges = purges;
      this.look(question);
    }
    return true;
  }

  private look(question: Question): void {
    const { store } = this.house;
    if (question.gone) return;
    const found = store.find(question.located, question.purges);
    if (found instanceof StoredResponse) {
      if (this.serves(question, found)) return;
      question.reason = this.reasonFor(question, found);
      this.ask(question, found);
    } else {
      question.reason = found;
      this.ask(question, undefined);
    }
  }

  /** Answers with what is stored, if that may be done now. */
  serves(question: Question, stored: StoredResponse, collapsed = false): boolean {
    const now = Date.now();
    const age = stored.age(now);
    const use = usability(stored, age, question.fields.directives);
    if (use === 'validate') return false;
    const outcome = collapsed ? 'collapsed' : use === 'fresh' ? 'hit' : 'stale';
    // Before the headers of the request are anybody else's.
    if (use === 'behind') this.refresh(question, stored);
    this.answer(question, stored, outcome, hitStatus(stored.terms.lifetimeMs - age, collapsed), now);
    return true;
  }

  private reasonFor({ fields }: Question, stored: StoredResponse): Forwarded {
    const fresh = stored.age(Date.now()) < stored.terms.lifetimeMs && !stored.purged;
    return fresh && fields.directives !== undefined && !stored.terms.validatesAlways ? 'request' : 'stale';
  }

  /** What is stored does not do, or there is nothing: somebody has to be asked. */
  private ask(question: Question, stale: StoredResponse | undefined): void {
    const { fields, context, located } = question;
    if (fields.directives?.onlyIfCached) return this.refuse(question, new GatewayError('not_cached'));
    // Parts and heads are not stored, so nobody waits for them.
    if (context.method === 'HEAD' || fields.range !== undefined) return this.goOn(question, question.reason);
    const shelf = this.house.store.shelf(located.tenantId);
    const variant = variantKey(shelf.varyOf(located.key) ?? [], located.headers);
    const name = `${located.tenantId}\n${located.key.primary}\n${variant}`;
    // What has to be confirmed for each request is confirmed for each by itself, and not for one after the other.
    const alone = question.waited || stale?.terms.validatesAlways || question.reason === 'request';
    if (alone || this.flights.isUnstorable(name, Date.now()))
      return new Fetch(question, { stale, name }, this).start();
    const flight = this.flights.find(name);
    if (flight)
      return flight.wait((landing) => this.guarded(question, () => this.goOnAfter(question, landing, stale)));
    new Fetch(question, { stale, name, flight: this.flights.begin(name) }, this).start();
  }

  private goOnAfter(question: Question, landing: Landing, stale: StoredResponse | undefined): void {
    if (question.gone) return;
    if (landing.kind === 'again') return this.look(question);
    question.waited = true;
    if (landing.kind === 'stored') {
      const { store } = this.house;
      const found = store.find(question.located, question.purges);
      if (found instanceof StoredResponse && this.serves(question, found, true)) return;
      if (typeof found === 'string') question.reason = found;
      return this.ask(question, found instanceof StoredResponse ? found : undefined);
    }
    const now = Date.now();
    if (landing.kind === 'stoodIn') {
      const { response, status } = landing;
      const age = response.age(now);
      if (standsIn(response, age, question.fields.directives)) {
        const ttlMs = response.terms.lifetimeMs - age;
        const cacheStatus = forwardedStatus('stale', { status, ttlMs, detail: 'stale-if-error' });
        return this.answer(question, response, 'stale', cacheStatus, now);
      }
    }
    this.ask(question, stale);
  }

  /** Asks for what has just been used, behind the answer (RFC 5861 §3); once at a time. */
  private refresh(question: Question, stale: StoredResponse): void {
    const { located, policy, fields, sharesCredentials } = question;
    const name = `${located.tenantId}\n${located.key.primary}\n${variantKey(stale.terms.vary, located.headers)}\nbehind`;
    if (this.flights.find(name) || !this.budget.beginBehind()) return;
    const unasked = backgroundRequest(question.request);
    const unconditional = {
      ...fields,
      directives: undefined,
      ifNoneMatch: undefined,
      ifModifiedSince: undefined,
      range: undefined,
      ifRange: undefined,
    };
    const asked = new Question(unasked, policy, unconditional, located, sharesCredentials);
    asked.purges = question.purges;
    asked.reason = 'stale';
    const flight = this.flights.begin(name);
    // The answer comes first.
    setImmediate(() =>
      this.guarded(asked, () => new Fetch(asked, { stale, name, flight, behind: true }, this).start()),
    );
  }

  answer(
    question: Question,
    stored: StoredResponse,
    outcome: CacheOutcome | undefined,
    status: string,
    now: number,
  ): void {
    if (question.gone) return;
    if (outcome !== undefined) this.count(question, outcome);
    this.house.metrics.served(stored.body.length);
    answerFromStore(question, stored, now, status, this.house);
  }

  /** Goes on to the upstream without being recorded. */
  private goOn(question: Question, reason: Forwarded, detail?: string): void {
    if (question.gone) return;
    const { request, response } = question;
    this.pass(request, reason, detail);
    const going = this.house.forward(request, response);
    if (going instanceof Promise) going.catch(this.fail(question));
  }

  private pass({ context }: GatewayRequest, reason: Forwarded, detail?: string): void {
    context.observer = new Passing(reason, detail);
    const outcome = reason === 'bypass' || reason === 'request' ? 'bypass' : 'miss';
    context.cache = outcome;
    this.house.metrics.count(outcome);
  }

  forward({ request, response }: Question): void | Promise<void> {
    return this.house.forward(request, response);
  }

  refuse({ request, response }: Question, error: unknown): void {
    if (!response.destroyed) this.house.refuse(error, request, response);
  }

  count({ context, located }: Question, outcome: CacheOutcome): void {
    context.cache = outcome;
    this.house.metrics.count(outcome);
    const { outcomes } = this.house.store.shelf(located.tenantId);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }

  /** Outside of the request's own call nobody catches what is thrown. */
  private guarded(question: Question, step: () => void): void {
    try {
      step();
    } catch (error) {
      this.refuse(question, error);
    }
  }

  private fail(question: Question): (error: unknown) => void {
    return (error) => this.refuse(question, error);
  }
}
