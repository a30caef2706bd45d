import { Readable } from 'node:stream';
import { GatewayError } from '#libs/errors';
import type { Exchange } from './exchange';
import { upstreamError } from './upstream-errors';

/** What decides about an attempt. */
export interface AttemptJudge {
  /** It came to nothing before there was a response. */
  failed(attempt: Attempt, error: GatewayError): void;
  /** There is a response. @returns whether it goes to the client; it is thrown away otherwise. */
  answered(status: number, raw: Buffer[]): boolean;
}

interface Patience {
  /** From the start to the head of the response; undefined: as long as the rest allows. */
  readonly tryMs: number | undefined;
  /** From the end of the request to the head of the response. */
  readonly firstByteMs: number;
}

/** More of an answer that nobody wants costs more to read than a new connection. */
const MAX_DRAINED_BYTES = 16_384;
const DRAIN_MS = 1000;

/**
 * One attempt at an upstream: undici's handler. Until it is known whether its response goes to the client it keeps the
 * exchange out of it, and once an attempt is given up the exchange hears no more of it.
 */
export class Attempt {
  /** Some of the request may have reached the upstream. */
  sent = false;
  /** The client has seen something that came of it. */
  shown = false;
  private state: 'open' | 'passed' | 'dropped' = 'open';
  private abort: ((error?: Error) => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly endsAt: number;
  private drained = 0;

  constructor(
    private readonly exchange: Exchange,
    private readonly judge: AttemptJudge,
    private readonly body: Readable | Buffer | undefined,
    private readonly patience: Patience,
    startedAt: number,
  ) {
    const { tryMs } = patience;
    this.endsAt = tryMs === undefined ? Infinity : startedAt + tryMs;
    if (tryMs !== undefined) this.expectWithin(tryMs);
  }

  /** Gives it up; where it has not been sent yet, it never will be. */
  drop(): void {
    if (this.state !== 'open') return;
    this.letGo();
    this.abort?.(new Error('the attempt was given up'));
  }

  onConnect(abort: (error?: Error) => void): void {
    if (this.state !== 'open') return abort();
    this.abort = abort;
    this.sent = true;
    this.exchange.onConnect(abort);
  }

  onRequestSent(): void {
    if (this.state !== 'open') return;
    this.exchange.noteSent();
    this.expectWithin(Math.min(this.patience.firstByteMs, this.endsAt - performance.now()));
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void, statusText: string): boolean {
    if (this.state !== 'open') return true;
    if (status < 200) {
      this.shown = true;
      return this.exchange.onHeaders(status, raw, resume, statusText);
    }
    clearTimeout(this.timer);
    if (this.judge.answered(this.exchange.judged(status, raw), raw)) {
      this.state = 'passed';
      return this.exchange.onHeaders(status, raw, resume, statusText);
    }
    this.discard();
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.state === 'passed') return this.exchange.onData(chunk);
    this.drained += chunk.length;
    if (this.drained > MAX_DRAINED_BYTES) this.abort?.();
    return true;
  }

  onComplete(trailers: Buffer[] | null): void {
    clearTimeout(this.timer);
    if (this.state === 'passed') this.exchange.onComplete(trailers);
  }

  onError(error: Error): void {
    clearTimeout(this.timer);
    if (this.state === 'passed') this.exchange.onError(error);
    else if (this.state === 'open') this.fail(upstreamError(error));
  }

  private fail(error: GatewayError): void {
    this.letGo();
    this.judge.failed(this, error);
  }

  /** The response is not wanted. A short one is read to its end, which saves the connection. */
  private discard(): void {
    const uploading = this.body instanceof Readable && !this.body.readableEnded;
    this.letGo();
    if (uploading) this.abort?.();
    else this.timer = setTimeout(() => this.abort?.(), DRAIN_MS).unref();
  }

  private letGo(): void {
    this.state = 'dropped';
    clearTimeout(this.timer);
    if (this.body instanceof Readable) this.body.destroy();
  }

  private expectWithin(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.fail(new GatewayError('upstream_timeout'));
      this.abort?.(new Error('the attempt took too long'));
    }, ms);
  }
}
