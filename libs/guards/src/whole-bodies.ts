import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TimeoutConfig } from '#libs/config';
import { GatewayError, type ErrorCode } from '#libs/errors';
import { FairBytes } from '#libs/load';
import { maxBodyOf } from './body-size.guard';
import type { GatewayRequest, RequestContext } from './request-context';

/** What bodies may take of the process, and how long clients may take to send them. */
export interface WholeBodyTerms {
  /** Largest body of any request; 0 means unlimited. */
  readonly maxBodyBytes: number;
  /** Of all bodies that are held at one time. */
  readonly maxHeldBytes: number;
  readonly timeouts: TimeoutConfig;
}

/** What becomes of a body above its cap. */
export type Oversize = 'refuse' | 'stream';

const EMPTY = Buffer.alloc(0);

/**
 * Keeps whole the bodies that must be known before the request goes on: to be signed, or compared with a digest. Their
 * memory is bounded over the process and shared fairly between tenants; what a body took is given back when its response is over. A body is noted in the
 * context (`wholeBody`), so that whoever comes later finds it there.
 */
export class WholeBodies {
  private readonly memory: FairBytes;

  constructor(private readonly terms: WholeBodyTerms) {
    this.memory = new FairBytes(terms.maxHeldBytes);
  }

  /** Bytes held now. */
  get held(): number {
    return this.memory.held;
  }

  /**
   * Reads a body into the context; at once where there is none or it is there already.
   * @param oversize `stream`: beyond the cap the rest is left unread, and what was read is `bodyPrefix`.
   * @throws GatewayError body_not_signable, body_too_large, body_buffers_full, request_timeout, client_gone; also as a
   *   rejection
   */
  keep(
    request: GatewayRequest,
    response: ServerResponse,
    maxBytes: number,
    oversize: Oversize,
  ): void | Promise<void> {
    const { context } = request;
    if (context.wholeBody !== undefined) {
      if (context.wholeBody.length > maxBytes && oversize === 'refuse') throw tooLarge(maxBytes);
      return;
    }
    if (context.bodyLength === undefined) {
      context.wholeBody = EMPTY;
      return;
    }
    if (context.bodyPrefix !== undefined) return;
    if (context.bodyLength > maxBytes) {
      if (oversize === 'refuse') throw tooLarge(maxBytes);
      context.bodyPrefix = EMPTY;
      return;
    }
    if (context.expectsContinue) {
      // Here is the one who reads it, and the upstream need not ask once more (RFC 9110 §10.1.1).
      context.expectsContinue = false;
      if (request.httpVersionMinor > 0) response.writeContinue();
    }
    return this.read(request, response, maxBytes, oversize);
  }

  private async read(
    request: GatewayRequest,
    response: ServerResponse,
    maxBytes: number,
    oversize: Oversize,
  ): Promise<void> {
    const { context } = request;
    const reading = new Reading(this.memory, request, this.timeoutsOf(context), {
      maxBytes,
      oversize,
      maxBodyBytes: maxBodyOf(context, this.terms.maxBodyBytes),
    });
    response.once('close', () => reading.release());
    const whole = await reading.done;
    // A client that has gone cannot be answered, and its memory has been given back.
    if (response.destroyed) throw new GatewayError('client_gone');
    if (whole) context.wholeBody = reading.bytes();
    else context.bodyPrefix = reading.bytes();
  }

  private timeoutsOf({ service, tenant }: RequestContext): TimeoutConfig {
    const own = service?.timeouts ?? tenant?.timeouts;
    return own ? { ...this.terms.timeouts, ...own } : this.terms.timeouts;
  }
}

interface Caps {
  readonly maxBytes: number;
  readonly oversize: Oversize;
  readonly maxBodyBytes: number;
}

/** One body on its way into memory. */
class Reading {
  /** True for a whole body, false for one that goes on beyond its cap. */
  readonly done: Promise<boolean>;
  private chunks: Buffer[] = [];
  private length = 0;
  private taken = 0;
  private settle!: { resolve: (whole: boolean) => void; reject: (error: GatewayError) => void };
  private readonly idle: NodeJS.Timeout;
  private readonly total: NodeJS.Timeout;
  private readonly tenantId: string;

  constructor(
    private readonly memory: FairBytes,
    private readonly request: GatewayRequest,
    { idleMs, totalMs }: TimeoutConfig,
    private readonly caps: Caps,
  ) {
    this.tenantId = request.context.tenant?.id ?? '';
    this.done = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    this.idle = setTimeout(this.onTimeout, idleMs);
    this.total = setTimeout(this.onTimeout, totalMs);
    const incoming: IncomingMessage = request;
    incoming.on('data', this.onData);
    incoming.on('end', this.onEnd);
    incoming.on('close', this.onClose);
    incoming.on('error', this.onClose);
    // One whose end has come before anybody listened says nothing more.
    if (incoming.destroyed && !incoming.complete) this.onClose();
  }

  bytes(): Buffer {
    const { chunks } = this;
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, this.length);
  }

  /** Gives the memory back (idempotent). */
  release(): void {
    this.memory.giveBack(this.tenantId, this.taken);
    this.taken = 0;
    this.chunks = [];
  }

  private readonly onData = (chunk: Buffer): void => {
    const { maxBytes, maxBodyBytes, oversize } = this.caps;
    const { context } = this.request;
    context.bytesIn += chunk.length;
    if (maxBodyBytes > 0 && context.bytesIn > maxBodyBytes) return this.fail('body_too_large');
    if (!this.memory.take(this.tenantId, chunk.length)) return this.fail('body_buffers_full');
    this.taken += chunk.length;
    this.length += chunk.length;
    this.chunks.push(chunk);
    this.idle.refresh();
    if (this.length <= maxBytes) return;
    if (oversize === 'refuse') return this.fail('body_not_signable', tooLarge(maxBytes));
    this.stop();
    // The rest waits for whoever forwards it.
    this.request.pause();
    this.settle.resolve(false);
  };

  private readonly onEnd = (): void => {
    this.stop();
    this.settle.resolve(true);
  };

  private readonly onClose = (): void => {
    if (!this.request.complete) this.fail('client_gone');
  };

  private readonly onTimeout = (): void => this.fail('request_timeout');

  private fail(code: ErrorCode, error?: GatewayError): void {
    this.stop();
    this.release();
    const headers = code === 'body_buffers_full' ? { 'Retry-After': '1' } : undefined;
    this.settle.reject(error ?? new GatewayError(code, undefined, headers && { headers }));
  }

  private stop(): void {
    clearTimeout(this.idle);
    clearTimeout(this.total);
    this.request.off('data', this.onData);
    this.request.off('end', this.onEnd);
    this.request.off('close', this.onClose);
    this.request.off('error', this.onClose);
  }
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError('body_not_signable', `the body is larger than ${maxBytes} bytes`);
}
