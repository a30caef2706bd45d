import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { TimeoutConfig } from '#libs/config';
import { GatewayError } from '#libs/errors';
import type { RequestContext } from '#libs/guards';
import type { UpstreamPool } from './transport';
import { responseHead } from './response-headers';
import { isBrokenConnection, upstreamError } from './upstream-errors';

/** RFC 9110 §9.2.2: repeating these means the same as sending them once. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Bodies up to this size are worth copying into a string. */
const ONE_WRITE_BYTES = 16_384;

/** What an exchange needs from its surroundings. */
export interface ExchangeTerms {
  readonly upstream: UpstreamPool;
  readonly path: string;
  readonly headers: string[];
  readonly timeouts: TimeoutConfig;
  /** Undefined when the request has none. */
  readonly body: Readable | undefined;
  /** Response headers that the gateway adds, flat. */
  readonly ownHeaders: readonly string[];
  /** Whether those say who may read the response across origins, so that the upstream's say must go. */
  readonly crossOrigin: boolean;
  refuse(error: GatewayError): void;
}

/**
 * One request's exchange with its upstream: an undici handler that streams the response to the client with
 * back-pressure. It implements undici's low-level handler hooks, which hand over raw bytes and build no objects.
 */
export class Exchange {
  private abort: ((error?: Error) => void) | undefined;
  private readonly deadline: NodeJS.Timeout;
  private attempts = 0;
  private over = false;
  private resume: (() => void) | undefined;
  private contentLength = -1;

  constructor(
    private readonly context: RequestContext,
    private readonly response: ServerResponse,
    private readonly terms: ExchangeTerms,
  ) {
    this.deadline = setTimeout(() => this.fail(new GatewayError('upstream_timeout')), terms.timeouts.totalMs);
    response.on('drain', () => this.resume?.());
    // The client is gone: nobody will read what the upstream goes on computing.
    response.on('close', () => this.cancel());
  }

  start(): void {
    const { upstream, path, headers, timeouts } = this.terms;
    this.attempts += 1;
    this.context.upstreamStartedAt ??= performance.now();
    upstream.pool.dispatch(
      {
        path,
        method: this.context.method,
        headers,
        body: this.terms.body ?? null,
        headersTimeout: timeouts.firstByteMs,
        bodyTimeout: timeouts.idleMs,
      },
      this as unknown as Dispatcher.DispatchHandler,
    );
  }

  onConnect(abort: (error?: Error) => void): void {
    if (this.over) return abort();
    this.abort = abort;
    // Only now is there somebody to read the body (RFC 9110 §10.1.1).
    if (this.context.expectsContinue && this.attempts === 1) this.response.writeContinue();
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void, statusText: string): boolean {
    if (status < 200) return true;
    const head = responseHead(raw, this.terms.ownHeaders, this.terms.crossOrigin);
    if (head.eventStream) clearTimeout(this.deadline);
    this.resume = resume;
    this.contentLength = head.contentLength;
    this.response.writeHead(status, statusText, head.headers);
    process.nextTick(sendHead, this.response);
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.context.bytesOut += chunk.length;
    // A small body that is complete already leaves in one string with its head: one buffer and one write(2) less.
    if (chunk.length === this.contentLength && chunk.length <= ONE_WRITE_BYTES) {
      this.response.end(chunk.toString('latin1'), 'latin1');
      return true;
    }
    return this.response.write(chunk);
  }

  onComplete(trailers: Buffer[] | null): void {
    if (this.over) return;
    this.finish();
    if (trailers && trailers.length > 0) this.response.addTrailers(pairs(trailers));
    if (!this.response.writableEnded) this.response.end();
  }

  onError(error: Error): void {
    if (!this.over && this.mayRetry(error)) this.start();
    else this.fail(upstreamError(error));
  }

  /** Nothing came back yet, repeating is harmless, no body was consumed, and the budget allows it. */
  private mayRetry(error: Error): boolean {
    return (
      this.attempts === 1 &&
      !this.response.headersSent &&
      this.terms.body === undefined &&
      IDEMPOTENT.has(this.context.method) &&
      isBrokenConnection(error) &&
      this.terms.upstream.retries.withdraw()
    );
  }

  private fail(error: GatewayError): void {
    if (this.over) return;
    this.finish();
    this.terms.refuse(error);
    this.abort?.(error);
  }

  private cancel(): void {
    if (this.over) return;
    this.finish();
    this.abort?.(new Error('the client closed the connection'));
  }

  private finish(): void {
    this.over = true;
    this.context.upstreamEndedAt = performance.now();
    clearTimeout(this.deadline);
  }
}

/** The head leaves at the end of this turn even if no body came with it: the body may be minutes away. */
function sendHead(response: ServerResponse): void {
  if (!response.writableEnded && !response.destroyed) response.flushHeaders();
}

function pairs(raw: readonly Buffer[]): Array<[string, string]> {
  const result: Array<[string, string]> = [];
  for (let i = 0; i < raw.length; i += 2) {
    result.push([(raw[i] as Buffer).toString('latin1'), (raw[i + 1] as Buffer).toString('latin1')]);
  }
  return result;
}
