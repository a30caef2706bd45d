import { STATUS_CODES } from 'node:http';
import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import { Readable, addAbortSignal } from 'node:stream';
import type { Dispatcher } from 'undici';
import { rawFields } from './http2-fields';
import { SentStart } from './sent-start';
import { UpstreamReset } from './upstream-reset';

/** A handler of undici in its low-level form, as far as it is called here. */
export interface CallHandler {
  onConnect?(abort: (error?: Error) => void): void;
  onRequestSent?(): void;
  onResponseStarted?(): void;
  onHeaders?(status: number, raw: Buffer[], resume: () => void, statusText: string): boolean | void;
  onData?(chunk: Buffer): boolean | void;
  onComplete?(trailers: Buffer[]): void;
  onError?(error: Error): void;
}

/** What is asked for. */
export interface CallRequest {
  readonly method: string;
  readonly path: string;
  /** Flat. */
  readonly headers: readonly string[];
  readonly body: Readable | Buffer | undefined;
}

/** What a call needs of the session that it is on. */
export interface CallCarrier {
  /** Streams above were never looked at (RFC 9113 §6.8). */
  readonly lastStreamId: number;
  /** Why it is no more. */
  readonly error: Error | undefined;
  /** Somebody gave up waiting for a first sign of life. */
  doubt(since: number): void;
}

const { NGHTTP2_REFUSED_STREAM, NGHTTP2_FLAG_END_STREAM } = constants;
/** With one session after the other refusing it, this one will not be better. */
const MAX_PLACINGS = 4;
const BODILESS = new Set([204, 304]);
const ABORTED = AbortSignal.abort();

/**
 * One request on a stream of HTTP/2, told to a handler of undici as if it had gone over HTTP/1.1. Body and response are
 * streamed with back-pressure. A stream that its upstream has never looked at goes to another session unseen, as long as
 * what was sent of its body is still here.
 */
export class Http2Call {
  private stream: ClientHttp2Stream | undefined;
  private carrier: CallCarrier | undefined;
  private placings = 0;
  private startedAt = 0;
  private started: SentStart | undefined;
  private bodyEnded = false;
  private answered = false;
  /** The response came to its own end, and was not cut off. */
  private whole = false;
  private over = false;
  private trailers: Buffer[] = [];

  /** @param again puts it on another session. */
  constructor(
    readonly request: CallRequest,
    private readonly handler: CallHandler,
    private readonly again: (call: Http2Call) => void,
  ) {
    const { body } = request;
    if (!(body instanceof Readable)) return;
    // Also while it waits for its turn: an error that nobody hears would end the process.
    body.on('error', (error) => this.fail(error));
    body.on('close', () => this.bodyEnded || this.fail(new Error('the body broke off')));
  }

  /** @param open makes the stream; whether it ends with its head. */
  begin(
    carrier: CallCarrier,
    open: (endStream: boolean) => ClientHttp2Stream,
  ): ClientHttp2Stream | undefined {
    const { body } = this.request;
    if (this.over) return undefined;
    this.carrier = carrier;
    this.placings += 1;
    if (this.placings === 1) this.handler.onConnect?.((error) => this.abort(error));
    if (this.over) return undefined;
    this.startedAt = performance.now();
    try {
      this.stream = this.listen(open(body === undefined));
      this.send(this.stream);
    } catch (error) {
      // Something that HTTP/2 cannot say.
      this.fail(error as Error);
    }
    return this.stream;
  }

  /** Ends it without a response; nothing happens where it has ended. */
  fail(error: Error): void {
    if (this.over) return;
    this.finish();
    this.handler.onError?.(error);
  }

  private abort(error: Error = new Error('the request was given up')): void {
    if (this.over) return;
    if (!this.answered) this.carrier?.doubt(this.startedAt);
    this.fail(error);
  }

  private finish(): void {
    const { stream } = this;
    const { body } = this.request;
    this.over = true;
    this.started = undefined;
    if (body instanceof Readable && !this.bodyEnded) body.destroy();
    // Not `close`, which ends the request first: what was broken off would look whole.
    if (stream && !stream.destroyed && !(this.whole && this.bodyEnded)) addAbortSignal(ABORTED, stream);
  }

  private listen(stream: ClientHttp2Stream): ClientHttp2Stream {
    stream.push = pushNoting(() => (this.whole = true));
    stream.on('headers', (_: IncomingHttpHeaders, __: number, raw: string[]) => this.head(stream, raw, 0));
    stream.on('response', (_: IncomingHttpHeaders, flags: number, raw: string[]) =>
      this.head(stream, raw, flags),
    );
    stream.on('trailers', (_: IncomingHttpHeaders, __: number, raw: string[]) => {
      this.trailers = rawFields(raw);
    });
    stream.on('drain', () => this.goOn());
    stream.on('error', ignore);
    stream.on('close', () => this.closed(stream));
    return stream;
  }

  private send(stream: ClientHttp2Stream): void {
    const { body } = this.request;
    if (!(body instanceof Readable)) {
      if (body !== undefined) stream.end(body);
      return this.sent();
    }
    if (this.started !== undefined) {
      for (const chunk of this.started.chunks) stream.write(chunk);
      if (this.bodyEnded) stream.end();
      else this.goOn();
      return;
    }
    this.started = new SentStart();
    body.on('data', (chunk: Buffer) => this.pass(body, chunk));
    body.on('end', () => {
      this.bodyEnded = true;
      if (this.over) return;
      this.stream?.end();
      this.sent();
    });
  }

  private sent(): void {
    this.bodyEnded = true;
    this.handler.onRequestSent?.();
  }

  private pass(body: Readable, chunk: Buffer): void {
    const { stream } = this;
    if (this.over) return;
    if (!this.answered) this.started?.keep(chunk);
    // On its way to another session, or lost.
    if (!stream || stream.destroyed || stream.closed || !stream.write(chunk)) body.pause();
  }

  private goOn(): void {
    const { body } = this.request;
    if (body instanceof Readable && !this.bodyEnded && !this.over) body.resume();
  }

  private head(stream: ClientHttp2Stream, fields: readonly string[], flags: number): void {
    if (this.over || stream !== this.stream) return;
    const status = statusOf(fields);
    // Trailers of a response that has none of its own names: Node tells them as a head when they do not end it.
    if (status === undefined) return this.fail(new Error('a head without a status'));
    const raw = rawFields(fields);
    const ended = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
    if (ended && this.request.method !== 'HEAD' && !BODILESS.has(status)) nameNoBody(raw);
    this.answered = true;
    this.started = undefined;
    this.tell(() => {
      this.handler.onResponseStarted?.();
      const resume = (): void => void stream.resume();
      const more = this.handler.onHeaders?.(status, raw, resume, STATUS_CODES[status] ?? '');
      if (status < 200 || this.over) return;
      stream.on('data', (chunk: Buffer) => this.tell(() => this.data(stream, chunk)));
      stream.on('end', () => this.ended());
      if (more === false) stream.pause();
    });
  }

  private data(stream: ClientHttp2Stream, chunk: Buffer): void {
    if (!this.over && this.handler.onData?.(chunk) === false) stream.pause();
  }

  private ended(): void {
    // Cut off; `close` follows.
    if (this.over || !this.whole) return;
    this.finish();
    try {
      this.handler.onComplete?.(this.trailers);
    } catch (error) {
      this.handler.onError?.(error as Error);
    }
  }

  /** What a handler throws is its request's misfortune. */
  private tell(what: () => void): void {
    try {
      what();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private closed(stream: ClientHttp2Stream): void {
    if (this.over || stream !== this.stream) return;
    const { carrier, request } = this;
    const reason = stream.rstCode ?? NGHTTP2_REFUSED_STREAM;
    const unseen =
      stream.id === undefined ||
      reason === NGHTTP2_REFUSED_STREAM ||
      stream.id > (carrier?.lastStreamId ?? 0);
    const here = !(request.body instanceof Readable) || this.started?.complete === true;
    if (!unseen || !here || this.answered || this.placings >= MAX_PLACINGS)
      return this.fail(new UpstreamReset(reason, carrier?.error));
    if (request.body instanceof Readable) request.body.pause();
    this.stream = undefined;
    this.again(this);
  }
}

/**
 * Node ends a response in the same way when it is whole and when its upstream resets the stream "without error". Only in the
 * first case the stream is still open at that moment.
 */
function pushNoting(whole: () => void): ClientHttp2Stream['push'] {
  return function (this: ClientHttp2Stream, chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk === null && !this.closed) whole();
    return Readable.prototype.push.call(this, chunk, encoding);
  };
}

function statusOf(fields: readonly string[]): number | undefined {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === ':status') return Number(fields[i + 1]);
  return undefined;
}

/** A head that ends its stream says that there is no body; over HTTP/1.1 a length does. */
function nameNoBody(raw: Buffer[]): void {
  for (let i = 0; i < raw.length; i += 2) if (raw[i]?.toString('latin1') === 'content-length') return;
  raw.push(Buffer.from('content-length'), Buffer.from('0'));
}

function ignore(): void {
  // What happens to a stream is seen by its `close`.
}

/** Undici's types know the handler by its newer form only. */
export function asHandler(handler: Dispatcher.DispatchHandler): CallHandler {
  return handler as CallHandler;
}
