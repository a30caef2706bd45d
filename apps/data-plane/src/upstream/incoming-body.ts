import type { IncomingMessage } from 'node:http';
import { GatewayError } from '#libs/errors';
import type { RequestContext } from '#libs/guards';
import type { Paced, PaceWatch } from '#libs/load';

/** Who gets a body as it comes in. */
export interface BodyTaker {
  /** Nobody waits for more of it, or its answer has begun: how fast the client sends does not matter. */
  readonly resting: boolean;
  came(chunk: Buffer): void;
  cameWhole(): void;
  /** The client went away in the middle, or sent more than is allowed, or too slowly. */
  broke(error: Error): void;
}

/** What a client sends as the body of its request: counted, bounded and paced here, whoever takes it. */
export class IncomingBody implements Paced {
  /** @param maxBytes 0 means unlimited. @param pace sees that it gets on. */
  constructor(
    private readonly request: IncomingMessage,
    private readonly context: RequestContext,
    private readonly maxBytes: number,
    private readonly pace: PaceWatch,
    private readonly taker: BodyTaker,
  ) {
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
    return this.taker.resting;
  }

  tooSlow(): void {
    this.taker.broke(new GatewayError('request_timeout', 'the body came too slowly'));
  }

  ask(): void {
    this.request.resume();
  }

  hold(): void {
    this.request.pause();
  }

  /** Nobody wants it any more. Not paused: what still comes is thrown away until the connection closes (lingering-close.ts). */
  leave(): void {
    this.pace.unwatch(this);
    this.request.off('data', this.onData);
    this.request.off('end', this.onEnd);
    this.request.off('close', this.onClose);
    // That of 'error' stays: without one, an error that comes later would end the process.
  }

  private readonly onData = (chunk: Buffer): void => {
    const { context, maxBytes, taker } = this;
    context.bytesIn += chunk.length;
    if (maxBytes > 0 && context.bytesIn > maxBytes) taker.broke(new GatewayError('body_too_large'));
    else taker.came(chunk);
  };

  private readonly onEnd = (): void => {
    this.pace.unwatch(this);
    this.taker.cameWhole();
  };

  private readonly onClose = (): void => {
    if (!this.request.complete) this.taker.broke(new Error('the client closed the connection'));
  };
}
