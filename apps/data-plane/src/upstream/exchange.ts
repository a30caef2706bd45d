import type { ServerResponse } from 'node:http';
import { GatewayError } from '#libs/errors';
import { IDEMPOTENT, type RequestContext } from '#libs/guards';
import { atEndOfTurn, writeLast, type Ending } from '../last-write';
import { closeAfterResponse } from '../lingering-close';
import type { BodySink, CodedBody } from '../shaping/coded-body';
import { isOfTheBytes } from '../shaping/coded-head';
import { dispatch } from './dispatch';
import type { ExchangeTerms } from './exchange-terms';
import { knowsInterim, passInterim } from './interim';
import { SlowReader } from './slow-reader';
import { pairs, responseHead } from './response-headers';
import { isBrokenConnection, upstreamError } from './upstream-errors';

/** Bodies up to this size are worth copying into a string. */
const ONE_WRITE_BYTES = 16_384;

/** Node refuses to write others; the phrase means nothing to anybody (RFC 9112 §4). */
const WRITABLE_REASON = /^[\x20-\x7e]*$/;

/**
 * One request's exchange with its upstream: an undici handler that streams the response to the client with
 * back-pressure. It implements undici's low-level handler hooks, which hand over raw bytes and build no objects.
 */
export class Exchange implements Ending {
  private abort: ((error?: Error) => void) | undefined;
  /** Ends the exchange when its total time is over. */
  private readonly deadline: NodeJS.Timeout;
  /** Ends it when the upstream has been silent for too long: before the head, or inside the body. */
  protected silence: NodeJS.Timeout | undefined;
  private attempts = 0;
  /** The attempts that a retry policy makes; undefined: this sends the request itself. */
  retrying: { end(clientGone: boolean): void } | undefined = undefined;
  private continued = false;
  /** Whether the upstream has sent a byte. */
  private answered = false;
  private over = false;
  /** What comes is not for the client: it has been answered otherwise, or is gone. */
  private diverted = false;
  /** Everything of the response is here, and it leaves at the end of this turn. */
  private ending = false;
  /** What is left to be sent then. */
  private lastText = '';
  /** The client, once it has been slow. */
  private reader: SlowReader | undefined;
  private resume: (() => void) | undefined;
  private contentLength = -1;
  /** The body on its way through an encoder. */
  private coded: CodedBody | undefined;
  /** Bytes of the body so far. */
  private received = 0;

  constructor(
    protected readonly context: RequestContext,
    private readonly response: ServerResponse,
    protected readonly terms: ExchangeTerms,
  ) {
    this.deadline = setTimeout(() => this.expire(), terms.timeouts.totalMs);
    response.on('drain', () => this.drained());
    response.on('close', () => this.leave());
  }

  start(): void {
    const { outgoing, body } = this.terms;
    const { context } = this;
    this.attempts += 1;
    if (context.upstreamStartedAt === undefined) {
      context.upstreamStartedAt = performance.now();
      outgoing.upstream.retries.request(context.upstreamStartedAt);
    }
    dispatch(outgoing, context.method, body, this);
  }

  onConnect(abort: (error?: Error) => void): void {
    if (this.over) return abort();
    this.abort = abort;
    if (this.context.bodyLength !== undefined && this.context.target?.rules) this.context.uploading = true;
    // Only now is there somebody to read the body (RFC 9110 §10.1.1).
    if (this.context.expectsContinue && !this.continued && knowsInterim(this.response.req)) {
      this.continued = true;
      this.response.writeContinue();
    }
  }

  /** The request is out, its body included: from here on the upstream is waited for. */
  onRequestSent(): void {
    this.noteSent();
    const { firstByteMs, totalMs } = this.terms.timeouts;
    if (firstByteMs < totalMs && !this.answered && !this.over) this.expectWithin(firstByteMs);
  }

  noteSent(): void {
    if (!this.context.uploading) return;
    this.context.uploading = false;
    this.context.upstreamSentAt = performance.now();
  }

  onResponseStarted(): void {
    this.answered = true;
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void, statusText: string): boolean {
    if (status < 200) return passInterim(this.response, status, raw);
    if (this.context.target?.breaker) this.context.upstreamAnsweredAt = performance.now();
    this.context.trace?.answered(status);
    const { response } = this;
    const { ownHeaders, levels, changes } = this.terms;
    const head = responseHead(status, raw, ownHeaders, levels, changes);
    clearTimeout(this.silence);
    this.silence = undefined;
    this.resume = resume;
    this.contentLength = head.contentLength;
    const { body } = this.terms;
    if (body && !Buffer.isBuffer(body)) body.answered = true;
    const passes = this.terms.observer?.head(status, raw, head) ?? true;
    if (!passes || this.diverted) return this.divert(status);
    // What the client has not sent yet may never be read.
    if (this.context.bodyLength !== undefined && !response.req.complete)
      closeAfterResponse(response.req, response);
    const reason = WRITABLE_REASON.test(statusText) ? statusText : undefined;
    if (this.terms.encode) {
      const sink = this.sink(() => response.writeHead(status, reason, head.headers));
      this.coded = this.terms.encode.begin(status, head, sink);
      // The upstream's length is not that of what the client gets.
      if (this.coded) this.contentLength = -1;
    }
    if (!this.coded?.holdsHead) response.writeHead(status, reason, head.headers);
    if (status === 304) this.endEarly();
    else process.nextTick(awaitBody, this);
    if (head.eventStream) {
      clearTimeout(this.deadline);
      this.terms.streaming();
    }
    return true;
  }

  onData(chunk: Buffer): boolean {
    const { response, coded } = this;
    this.terms.observer?.data(chunk);
    if (this.diverted) return true;
    if (coded) {
      const more = coded.write(chunk);
      if (more) this.silence?.refresh();
      else clearTimeout(this.silence);
      return more;
    }
    this.received += chunk.length;
    this.context.bytesOut += chunk.length;
    // A small body that is complete already leaves in one string with its head: one buffer and one write(2) less.
    if (chunk.length === this.contentLength && chunk.length <= ONE_WRITE_BYTES) {
      this.endSoon(chunk.toString('latin1'));
      return true;
    }
    const more =
      this.received === this.contentLength
        ? this.writeLast(chunk.length, () => response.write(chunk))
        : response.write(chunk);
    // A client that takes its time is not the upstream's silence.
    if (more) this.silence?.refresh();
    else {
      clearTimeout(this.silence);
      this.awaitReader();
    }
    return more;
  }

  /** The client has more before it than the system takes for it. */
  private awaitReader(): void {
    this.reader ??= new SlowReader(this.terms.readers, () => this.putOut());
    this.reader.owes();
  }

  /** It has taken all of that. */
  private drained(): void {
    this.reader?.settled();
    if (this.coded) this.coded.resume();
    else this.goOn();
  }

  private writeLast<T>(bytes: number, write: () => T): T {
    return writeLast(this.response, bytes, this.terms.delivered, write);
  }

  private goOn(): void {
    if (this.diverted) return;
    this.resume?.();
    if (!this.over) this.expectWithin(this.terms.timeouts.idleMs);
  }

  /**
   * The head leaves at the end of the turn that brought it even if no body came with it, which may be minutes away;
   * and only then is a silence worth timing.
   */
  awaitBody(): void {
    if (this.over || this.ending || this.response.destroyed) return;
    if (!this.response.writableEnded && !this.coded?.holdsHead) this.response.flushHeaders();
    if (!this.response.writableNeedDrain) this.expectWithin(this.terms.timeouts.idleMs);
  }

  onComplete(trailers: Buffer[] | null): void {
    if (this.over) return;
    this.finish();
    this.terms.observer?.complete((trailers?.length ?? 0) > 0);
    if (this.diverted) return;
    if (trailers && trailers.length > 0) this.response.addTrailers(this.trailersOf(trailers));
    if (this.coded) return this.coded.end();
    if (!this.response.writableEnded) this.endSoon();
  }

  /** Where what an encoder makes of the body goes. */
  private sink(writeHead: () => void): BodySink {
    const { response, context } = this;
    let refused = false;
    return {
      writeHead: () => {
        if (response.destroyed) return;
        try {
          writeHead();
        } catch (cause) {
          // Called by an encoder when it has finished, where nobody would catch what Node has against a header.
          refused = true;
          this.breakOff(new GatewayError('upstream_failed', undefined, { cause }));
        }
      },
      write: (bytes) => {
        if (refused) return true;
        context.bytesOut += bytes.length;
        const more = response.write(bytes);
        if (!more) this.awaitReader();
        return more;
      },
      end: (bytes) => {
        if (refused) return;
        context.bytesOut += bytes?.length ?? 0;
        this.endSoon(bytes?.toString('latin1'));
      },
      drained: () => this.goOn(),
      failed: (error) => this.breakOff(new GatewayError('internal_error', undefined, { cause: error })),
    };
  }

  /** The status by which an attempt is judged. */
  judged(status: number, _raw: readonly Buffer[]): number {
    return status;
  }

  private trailersOf(raw: readonly Buffer[]): Array<[string, string]> {
    return this.coded ? pairs(raw).filter(([name]) => !isOfTheBytes(name)) : pairs(raw);
  }

  onError(error: Error): void {
    if (!this.over && this.mayRetry(error)) this.startAgain();
    else this.fail(upstreamError(error));
  }

  /** Reads a response to its end that is not for the client. */
  private divert(status: number): boolean {
    this.diverted = true;
    if (status === 304) this.finish();
    return true;
  }

  /** The client is gone, and somebody else wants the response: within the total time, and as fast as it comes. */
  private goOnAlone(): void {
    this.diverted = true;
    clearTimeout(this.silence);
    this.resume?.();
  }

  /** A 304 may have the length of the body it leaves out (RFC 9110 §15.4.5), which undici then finds missing. */
  private endEarly(): void {
    this.finish();
    this.endSoon();
  }

  /** @param text what is left of the body. */
  private endSoon(text = ''): void {
    if (this.ending) return;
    this.ending = true;
    this.lastText = text;
    atEndOfTurn(this);
  }

  /** Called at the end of the turn, where nobody would catch what it throws. The client may have gone meanwhile. */
  end(): void {
    const { response, lastText } = this;
    if (response.destroyed) return;
    try {
      this.writeLast(lastText.length, () => response.end(lastText, 'latin1'));
    } catch (error) {
      this.tearDown(new GatewayError('internal_error', undefined, { cause: error }));
    }
  }

  /**
   * What happens without a retry policy: nothing came back yet, repeating is harmless, there is no body that was consumed,
   * and the budget allows it.
   */
  private mayRetry(error: Error): boolean {
    if (
      this.attempts !== 1 ||
      this.answered ||
      this.context.bodyLength !== undefined ||
      !IDEMPOTENT.has(this.context.method) ||
      !isBrokenConnection(error)
    )
      return false;
    const { outgoing, retries } = this.terms;
    if (outgoing.upstream.retries.withdraw(performance.now())) return true;
    retries.withheld(this.context, 'budget');
    return false;
  }

  private startAgain(): void {
    this.context.attempts = 2;
    this.terms.retries.retrying(this.context, 'broken', 0);
    this.start();
  }

  /** Breaks the response off, also what the client has yet to read of one that is complete. */
  breakOff(error: GatewayError): void {
    if (this.over) this.tearDown(error);
    else this.fail(error);
  }

  private fail(error: GatewayError): void {
    if (this.over) return;
    this.finish();
    this.coded?.destroy();
    // Nothing is missing any more.
    if (this.ending) return;
    const answered = this.terms.observer?.failed(error) ?? false;
    if (!answered && !this.diverted) this.tearDown(error);
    this.abort?.(error);
  }

  private tearDown(error: GatewayError): void {
    const { response } = this;
    this.coded?.destroy();
    // Where only the end of the connection ends a body (HTTP/1.0), a plain close would make it look whole.
    if (response.headersSent && this.contentLength < 0 && !response.chunkedEncoding)
      response.socket?.resetAndDestroy();
    this.terms.refuse(error);
  }

  /** The total time is over; where a client has yet to read what is here, the upstream is not to blame, and its target neither. */
  private expire(): void {
    if (this.over || this.response.writableNeedDrain) this.putOut();
    else this.fail(new GatewayError('upstream_timeout'));
  }

  /** What the client has not read yet it will not get. */
  private putOut(): void {
    const error = new GatewayError('client_too_slow');
    this.context.refusal ??= error;
    this.breakOff(error);
    this.response.destroy();
  }

  protected expectWithin(ms: number): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.silent(ms), ms);
  }

  protected silent(_ms: number): void {
    this.fail(new GatewayError('upstream_timeout'));
  }

  /** The response is over. If the exchange is not, nobody will read what the upstream goes on computing. */
  private leave(): void {
    this.coded?.destroy();
    this.reader?.settled();
    if (!this.over && (this.diverted || this.terms.observer?.abandoned())) return this.goOnAlone();
    clearTimeout(this.deadline);
    if (this.over) return;
    this.finish();
    this.abort?.(new Error('the client closed the connection'));
  }

  protected finish(): void {
    const { response } = this;
    this.over = true;
    if (this.diverted) clearTimeout(this.deadline);
    clearTimeout(this.silence);
    this.context.upstreamEndedAt = performance.now();
    this.retrying?.end(response.destroyed);
    if (this.attempts > 1)
      this.terms.retries.retried(
        this.context,
        'broken',
        response.headersSent ? 'succeeded' : response.destroyed ? 'abandoned' : 'failed',
      );
  }
}

function awaitBody(exchange: Exchange): void {
  exchange.awaitBody();
}
