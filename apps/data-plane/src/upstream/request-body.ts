import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { GatewayError } from '#libs/errors';
import type { RequestContext } from '#libs/guards';
import type { Paced, PaceWatch } from '#libs/load';

/**
 * A request's body on its way to the upstream. A stream of its own, because undici destroys the body of a request
 * that fails, and destroying the request itself would tear down the connection on which the refusal must go out.
 */
export class RequestBody extends Readable implements Paced {
  /** Somebody waits for more of it. */
  private wanted = false;
  /** Its answer has begun, and from here on client and upstream may take their turns (gRPC, long polls). */
  answered = false;

  /** @param maxBytes 0 means unlimited. @param pace sees that it gets on. */
  constructor(
    private readonly request: IncomingMessage,
    private readonly context: RequestContext,
    private readonly maxBytes: number,
    private readonly pace: PaceWatch,
  ) {
    super();
    request.on('data', this.onData);
    request.on('end', this.onEnd);
    request.on('close', this.onClose);
    request.on('error', this.onClose);
    request.pause();
    // Client and upstream of a call of gRPC take their turns from the start.
    if (context.call === undefined) pace.watch(this);
  }

  get progress(): number {
    return this.context.bytesIn;
  }

  get resting(): boolean {
    return !this.wanted || this.answered;
  }

  tooSlow(): void {
    this.destroy(new GatewayError('request_timeout', 'the body came too slowly'));
  }

  override _read(): void {
    this.wanted = true;
    this.request.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.pace.unwatch(this);
    this.request.off('data', this.onData);
    this.request.off('end', this.onEnd);
    this.request.off('close', this.onClose);
    // Not paused: what still comes is thrown away until the connection closes (lingering-close.ts).
    callback(error);
  }

  private readonly onData = (chunk: Buffer): void => {
    this.context.bytesIn += chunk.length;
    if (this.maxBytes > 0 && this.context.bytesIn > this.maxBytes)
      this.destroy(new GatewayError('body_too_large'));
    else if (!this.push(chunk)) {
      this.wanted = false;
      this.request.pause();
    }
  };

  private readonly onEnd = (): void => {
    this.pace.unwatch(this);
    this.push(null);
  };

  private readonly onClose = (): void => {
    if (!this.request.complete) this.destroy(new Error('the client closed the connection'));
  };
}
