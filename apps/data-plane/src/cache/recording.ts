import {
  StoredResponse,
  STANDS_IN_FOR,
  bodyOf,
  forwardedStatus,
  hasIt,
  readResponseFields,
  renewed,
  routeNameOf,
  standsIn,
  storageTerms,
  type CacheOutcome,
  type ResponseFields,
  type StorageTerms,
} from '#libs/cache';
import type { GatewayError } from '#libs/errors';
import { setsSession } from '#libs/guards';
import type { ResponseHead } from '../upstream/response-headers';
import type { ResponseObserver } from '../upstream/response-observer';
import type { Landing } from './flights';
import { markForwarded } from './passing';
import type { Question } from './question';

/** What a recording needs from the cache. */
export interface RecordingTerms {
  /** What is stored already, and asked for again. */
  readonly stale: StoredResponse | undefined;
  /** Nobody waits for this answer: it is fetched for those who come later. */
  readonly behind: boolean;
  /** Others wait for it. */
  isAwaited(): boolean;
  /** Takes bytes of what may be recorded at the same time. @returns false: there is no room. */
  reserve(bytes: number): boolean;
  /** Answers the client in the place of the upstream. */
  answer(stored: StoredResponse, outcome: CacheOutcome | undefined, cacheStatus: string, now: number): void;
  store(response: StoredResponse): void;
  /** What is stored does not hold any more. */
  forget(stored: StoredResponse): void;
  /** The upstream has confirmed something that is not what is stored. */
  askAgain(): void;
  land(landing: Landing): void;
  /** The client gets what the upstream says, or that it says nothing. */
  missed(): void;
  /** Tells the target how it has done, where what the client gets does not. */
  told(status: number | undefined, error?: GatewayError): void;
  /** Status of the upstream; undefined if there was none. */
  over(status: number | undefined): void;
}

/**
 * Records a response while it goes to the client, and stores it when it has come to its good end. The client waits for
 * nothing: each part goes on as it comes. Where the response says that what is stored still holds, or that the upstream
 * fails while something stored may stand in for it, the client gets that.
 */
export class Recording implements ResponseObserver {
  private readonly requestedAt = Date.now();
  private status: number | undefined;
  private terms: StorageTerms | undefined;
  private fields: ResponseFields | undefined;
  private arrivedAt = 0;
  private chunks: Buffer[] = [];
  private length = 0;
  private ended = false;

  constructor(
    private readonly question: Question,
    private readonly surroundings: RecordingTerms,
  ) {}

  head(status: number, raw: readonly Buffer[], head: ResponseHead): boolean {
    const { question, surroundings } = this;
    const { stale, behind } = surroundings;
    const now = Date.now();
    this.arrivedAt = now;
    this.status = status;
    const fields = readResponseFields(withoutSessions(raw));
    this.fields = fields;
    if (status === 304 && stale) return this.confirmed(stale, fields, now);
    if (stale && STANDS_IN_FOR.has(status) && this.standIn(stale, status, now)) return false;
    // What answers in its place is another one from now on, whether that can be stored or not.
    if (stale && status < 500) surroundings.forget(stale);
    const terms = this.recordable(status, fields, head);
    if (typeof terms === 'string') surroundings.land({ kind: 'alone' });
    else this.terms = terms;
    if (behind) {
      // Nothing follows a 304, not even the word that it is complete.
      if (status === 304) this.end();
      return false;
    }
    surroundings.missed();
    const stored = typeof terms !== 'string';
    const ttlMs = stored ? terms.lifetimeMs - terms.initialAgeMs : undefined;
    const detail = stored ? undefined : terms;
    markForwarded(head, forwardedStatus(question.reason, { status, stored, ttlMs, detail }));
    if (!stored || !hasIt(question.fields, status, fields)) return true;
    // The client has what has just come; the store has not.
    const known = this.responseOf(terms, '');
    surroundings.answer(known, undefined, forwardedStatus(question.reason, { status, stored, ttlMs }), now);
    return false;
  }

  data(chunk: Buffer): void {
    if (!this.terms) return;
    this.length += chunk.length;
    if (this.length > this.question.policy.maxBodyBytes || !this.surroundings.reserve(chunk.length))
      this.giveUp();
    else this.chunks.push(chunk);
  }

  complete(hasTrailers: boolean): void {
    const { terms, fields } = this;
    const promised = fields?.contentLength;
    const whole = promised === undefined || Number(promised) === this.length;
    if (terms && whole && !hasTrailers) {
      this.surroundings.store(this.responseOf(terms, bodyOf(this.chunks, this.length)));
      this.surroundings.land({ kind: 'stored' });
    } else {
      this.surroundings.land({ kind: 'alone' });
    }
    this.end();
  }

  failed(error: GatewayError): boolean {
    const { stale } = this.surroundings;
    const untouched = this.status === undefined && !this.question.response.headersSent;
    const stoodIn =
      untouched && error.status >= 500 && stale ? this.standIn(stale, undefined, Date.now(), error) : false;
    if (!stoodIn) {
      if (this.surroundings.behind) this.surroundings.told(undefined, error);
      if (untouched) this.surroundings.missed();
      this.surroundings.land({ kind: 'failed' });
    }
    this.end();
    return stoodIn || this.surroundings.behind;
  }

  abandoned(): boolean {
    if (this.surroundings.isAwaited() && (this.status === undefined || this.terms)) return true;
    this.surroundings.land({ kind: 'again' });
    this.end();
    return false;
  }

  private confirmed(stale: StoredResponse, fields: ResponseFields, now: number): boolean {
    const { question, surroundings } = this;
    this.status = 304;
    if (fields.etag !== undefined && !sameTag(fields.etag, stale.etag)) {
      // It speaks of something else (RFC 9111 §4.3.4).
      surroundings.forget(stale);
      surroundings.askAgain();
      return false;
    }
    const headers = renewed(stale.headers, fields.kept);
    const all = readResponseFields(headers);
    all.age = fields.age;
    const { requestedAt } = this;
    const shared = question.sharesCredentials ? 'credentials' : 'anonymous';
    const terms = storageTerms(
      { status: stale.status, fields: all, requestedAt, now, shared },
      question.policy,
    );
    const { body, status, etag, lastModified } = stale;
    const usable = typeof terms === 'string' ? stale.terms : terms;
    const tags = fields.tags.length > 0 ? [...fields.tags, ...question.policy.tags] : stale.origin.tags;
    const origin = { ...stale.origin, tags, purges: question.purges.latest };
    const validators = { etag: fields.etag ?? etag, lastModified: fields.lastModified ?? lastModified };
    const response = new StoredResponse({
      status,
      headers,
      body,
      storedAt: now,
      terms: usable,
      origin,
      ...validators,
    });
    if (typeof terms === 'string') surroundings.forget(stale);
    else surroundings.store(response);
    const ttlMs = usable.lifetimeMs - response.age(now);
    const cacheStatus = forwardedStatus(question.reason, {
      status: 304,
      ttlMs,
      stored: typeof terms !== 'string',
    });
    surroundings.answer(response, 'revalidated', cacheStatus, now);
    surroundings.land({ kind: typeof terms === 'string' ? 'alone' : 'stored' });
    this.end();
    return false;
  }

  /** @param status of the upstream; undefined if it gave none, because of the error */
  private standIn(
    stale: StoredResponse,
    status: number | undefined,
    now: number,
    error?: GatewayError,
  ): boolean {
    const { question, surroundings } = this;
    const age = stale.age(now);
    if (!standsIn(stale, age, question.fields.directives)) return false;
    // The client gets a 200, and its upstream has failed all the same.
    surroundings.told(status, error);
    const ttlMs = stale.terms.lifetimeMs - age;
    const cacheStatus = forwardedStatus('stale', { status, ttlMs, detail: 'stale-if-error' });
    surroundings.answer(stale, 'stale', cacheStatus, now);
    surroundings.land({ kind: 'stoodIn', response: stale, status });
    return true;
  }

  private recordable(status: number, fields: ResponseFields, head: ResponseHead): StorageTerms | string {
    const { question, requestedAt, arrivedAt: now } = this;
    const { policy, sharesCredentials } = question;
    if (head.eventStream) return 'stream';
    // Where only the end of the connection ends a body, nobody can tell whether it is whole (RFC 9112 §8).
    if (!fields.delimited && status !== 204) return 'undelimited';
    if (question.context.method !== 'GET') return 'method';
    if (Number(fields.contentLength ?? 0) > policy.maxBodyBytes) return 'too-large';
    const shared = sharesCredentials ? 'credentials' : 'anonymous';
    return storageTerms({ status, fields, requestedAt, now, shared }, policy);
  }

  private responseOf(terms: StorageTerms, body: string | Buffer): StoredResponse {
    const { question, fields, status, arrivedAt } = this;
    const { kept, etag, lastModified, tags, date } = fields as ResponseFields;
    // A response without a date gets that of its arrival (RFC 9110 §6.6.1).
    const headers = date === undefined ? [...kept, 'Date', new Date(arrivedAt).toUTCString()] : kept;
    const origin = {
      target: question.located.key.target,
      route: routeNameOf(question.context),
      tags: [...tags, ...question.policy.tags],
      purges: question.purges.latest,
    };
    const known = { etag, lastModified, origin };
    return new StoredResponse({
      status: status as number,
      headers,
      body,
      storedAt: arrivedAt,
      terms,
      ...known,
    });
  }

  /** It is too much to keep; the client goes on getting it. */
  private giveUp(): void {
    this.terms = undefined;
    this.chunks = [];
    this.surroundings.land({ kind: 'alone' });
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.chunks = [];
    this.terms = undefined;
    this.surroundings.over(this.status);
  }
}

/**
 * What came, as text, without what would sign somebody in to the dashboard on the same host: what is stored goes out as it
 * is, past those who see to that for responses that only pass (upstream/response-headers.ts).
 */
function withoutSessions(raw: readonly Buffer[]): string[] {
  const fields: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as Buffer).toString('latin1');
    const value = (raw[i + 1] as Buffer).toString('latin1');
    if (!(name.toLowerCase() === 'set-cookie' && setsSession(value))) fields.push(name, value);
  }
  return fields;
}

/** Weak comparison. */
function sameTag(one: string, other: string | undefined): boolean {
  return one.replace(/^W\//, '') === other?.replace(/^W\//, '');
}
