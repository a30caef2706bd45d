import type { LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { Dispatcher } from 'undici';
import { dial } from './dial';
import { asHandler, Http2Call } from './http2-call';
import { ASSUMED_STREAMS, UpstreamSession, type SessionListener } from './upstream-session';

/** What a pool needs to know. */
export interface Http2PoolTerms {
  readonly maxSessions: number;
  readonly connectMs: number;
  readonly lookup: LookupFunction;
}

/** How often sessions are looked after. */
const LOOK_MS = 5000;
/** Those whose clients have gone stay among them until it is their turn. */
const MAX_WAITING = 10_000;

/**
 * The sessions of HTTP/2 with one upstream origin, in the place of undici's pool of connections: it takes the same requests
 * and the same handlers. One session carries everything until its upstream allows no more streams on it; only then there
 * is another. What finds no room waits.
 */
export class Http2Pool extends Dispatcher implements SessionListener {
  /** In the order of age: the older ones are filled first, so that the others can be closed. */
  private readonly sessions = new Set<UpstreamSession>();
  /** No more streams on them, but some that are open. */
  private readonly leaving = new Set<UpstreamSession>();
  private waiting: Http2Call[] = [];
  private connecting = 0;
  private closing = false;
  private timer: NodeJS.Timeout | undefined;

  /** @param origin `https:` for TLS. */
  constructor(
    private readonly origin: URL,
    private readonly terms: Http2PoolTerms,
  ) {
    super();
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { method, path, headers, body } = options;
    const request = { method, path, headers: flat(headers), body: bodyOf(body) };
    this.place(new Http2Call(request, asHandler(handler), (call) => this.place(call)));
    return true;
  }

  /** Lets the requests that use it finish. */
  override async close(): Promise<void> {
    this.closing = true;
    for (const session of this.sessions) session.close();
    await Promise.resolve();
  }

  /** Closes every session, whatever is using it. */
  override async destroy(): Promise<void> {
    this.closing = true;
    const error = new Error('the gateway has closed the connection');
    for (const call of this.waiting.splice(0)) call.fail(error);
    await Promise.all([...this.sessions, ...this.leaving].map((session) => session.destroy(error)));
  }

  room(): void {
    let freed = 0;
    for (const session of this.sessions) {
      while (freed < this.waiting.length && session.hasRoom) session.open(this.waiting[freed++] as Http2Call);
      if (freed === this.waiting.length) break;
    }
    if (freed > 0) this.waiting.splice(0, freed);
    if (this.waiting.length > 0) this.connectIfNeeded();
  }

  gone(session: UpstreamSession): void {
    if (this.sessions.delete(session) && !session.isClosed) this.leaving.add(session);
    if (session.isClosed) this.leaving.delete(session);
    if (this.sessions.size + this.leaving.size === 0) this.rest();
    if (this.waiting.length > 0) this.connectIfNeeded();
  }

  private place(call: Http2Call): void {
    for (const session of this.sessions) if (session.hasRoom) return session.open(call);
    if (this.waiting.length >= MAX_WAITING)
      return call.fail(new Error('too many requests wait for a stream'));
    this.waiting.push(call);
    this.connectIfNeeded();
  }

  /** As many as those that wait need, if each takes as many streams as servers do. */
  private connectIfNeeded(): void {
    if (this.waiting.length <= this.connecting * ASSUMED_STREAMS) return;
    if (this.sessions.size + this.connecting >= this.terms.maxSessions) return;
    this.connecting += 1;
    const { connectMs: timeoutMs, lookup } = this.terms;
    dial({ origin: this.origin, timeoutMs, lookup }, (error, socket) => {
      this.connecting -= 1;
      if (socket === undefined) return this.missed(error ?? new Error('no connection'));
      try {
        this.carryOn(new UpstreamSession(this.origin, socket, this));
      } catch (failure) {
        // It has gone in this very moment.
        socket.destroy();
        this.missed(failure as Error);
      }
    });
  }

  private carryOn(session: UpstreamSession): void {
    this.sessions.add(session);
    this.timer ??= setInterval(() => this.look(), LOOK_MS).unref();
    this.room();
    if (this.closing) session.close();
  }

  /** Where others carry on, or are being tried, waiting is not in vain. */
  private missed(error: Error): void {
    if (this.sessions.size > 0 || this.connecting > 0) return;
    const waiting = this.waiting;
    this.waiting = [];
    for (const call of waiting) call.fail(error);
  }

  private look(): void {
    const now = performance.now();
    for (const session of this.sessions) session.look(now);
    for (const session of this.leaving) session.look(now);
  }

  private rest(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

/** Ours are flat; undici's own `request` may be given an object. */
function flat(headers: Dispatcher.DispatchOptions['headers']): string[] {
  if (!headers) return [];
  if (Array.isArray(headers)) return headers;
  return Object.entries(headers as Record<string, string>).flat();
}

function bodyOf(body: Dispatcher.DispatchOptions['body']): Readable | Buffer | undefined {
  if (body instanceof Readable || Buffer.isBuffer(body)) return body;
  return undefined;
}
