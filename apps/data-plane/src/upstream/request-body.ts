import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { RequestContext } from '#libs/guards';
import type { PaceWatch } from '#libs/load';
import { IncomingBody, type BodyTaker } from './incoming-body';

/**
 * A request's body on its way to the upstream. A stream of its own, because undici destroys the body of a request
 * that fails, and destroying the request itself would tear down the connection on which the refusal must go out.
 */
export class RequestBody extends Readable implements BodyTaker {
  /** Its answer has begun, and from here on client and upstream may take their turns (gRPC, long polls). */
  answered = false;
  /** Somebody waits for more of it. */
  private wanted = false;
  private readonly incoming: IncomingBody;

  /** @param maxBytes 0 means unlimited. @param pace sees that it gets on. */
  constructor(request: IncomingMessage, context: RequestContext, maxBytes: number, pace: PaceWatch) {
    super();
    this.incoming = new IncomingBody(request, context, maxBytes, pace, this);
  }

  get resting(): boolean {
    return !this.wanted || this.answered;
  }

  came(chunk: Buffer): void {
    if (this.push(chunk)) return;
    this.wanted = false;
    this.incoming.hold();
  }

  cameWhole(): void {
    this.push(null);
  }

  broke(error: Error): void {
    this.destroy(error);
  }

  override _read(): void {
    this.wanted = true;
    this.incoming.ask();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.incoming.leave();
    callback(error);
  }
}
