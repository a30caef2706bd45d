import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { GatewayError } from '#libs/errors';
import type { RequestContext } from '#libs/guards';

/**
 * A request's body on its way to the upstream. A stream of its own, because undici destroys the body of a request
 * that fails, and destroying the request itself would tear down the connection on which the refusal must go out.
 */
export class RequestBody extends Readable {
  /** @param maxBytes 0 means unlimited. */
  constructor(
    private readonly request: IncomingMessage,
    private readonly context: RequestContext,
    private readonly maxBytes: number,
  ) {
    super();
    request.on('data', this.onData);
    request.on('end', this.onEnd);
    request.on('close', this.onClose);
    request.on('error', this.onClose);
    request.pause();
  }

  override _read(): void {
    this.request.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
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
    else if (!this.push(chunk)) this.request.pause();
  };

  private readonly onEnd = (): void => {
    this.push(null);
  };

  private readonly onClose = (): void => {
    if (!this.request.complete) this.destroy(new Error('the client closed the connection'));
  };
}
