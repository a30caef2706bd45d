import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { RequestContext } from '#libs/guards';
import type { FairBytes, PaceWatch } from '#libs/load';
import { IncomingBody, type BodyTaker } from './incoming-body';

/** Small pieces are put together up to this size: kept one by one, a thousand of a byte each would take a hundred times as much. */
const PIECE_BYTES = 4096;

/** A request's body for as many attempts as there are. */
export interface RepeatableBody {
  /** The client went away in the middle, or sent more than is allowed. */
  readonly broken: boolean;
  /** Whether another copy would be whole. */
  readonly replayable: boolean;
  /** The whole body for one attempt; the one before it gets nothing any more. */
  another(): Readable | Buffer;
  /** No further attempt is to come; the one under way gets all of it. */
  forget(): void;
  /** Nobody wants the body any more. */
  close(): void;
}

/** One that has been read already, and is somebody else's to keep. */
export class WholeBody implements RepeatableBody {
  readonly broken = false;
  readonly replayable = true;

  constructor(private readonly bytes: Buffer) {}

  another(): Buffer {
    return this.bytes;
  }

  forget(): void {
    // Whoever has read it lets go of it.
  }

  close(): void {
    // Likewise.
  }
}

/** What keeping is bounded by, in bytes. */
interface Bounds {
  /** Of a request's body; 0 means unlimited. */
  readonly bodyBytes: number;
  readonly keptBytes: number;
}

/**
 * A request's body that can be sent several times. It goes to the upstream as it comes in, and is kept beside that until
 * it proves too large or no further attempt is to come.
 */
export class KeptBody implements RepeatableBody, BodyTaker {
  /** Undefined once it cannot be sent again. */
  private pieces: Buffer[] | undefined = [];
  private kept = 0;
  private complete = false;
  private wanted = true;
  /** An attempt waits for more of it. */
  private asked = false;
  private copy: BodyCopy | undefined;
  /** What somebody has read, and counted, before; until it is passed on. */
  private start: Buffer | undefined;
  private readonly incoming: IncomingBody;
  private readonly tenantId: string;
  broken = false;

  /** @param memory for the bodies that all requests keep. @param pace sees that it gets on. */
  constructor(
    request: IncomingMessage,
    private readonly context: RequestContext,
    private readonly bounds: Bounds,
    private readonly memory: FairBytes,
    pace: PaceWatch,
  ) {
    this.start = context.bodyPrefix?.length ? context.bodyPrefix : undefined;
    this.tenantId = context.tenant?.id ?? '';
    this.incoming = new IncomingBody(request, context, bounds.bodyBytes, pace, this);
  }

  /** Between attempts nobody asks; and once the answer has begun, client and upstream may take their turns. */
  get resting(): boolean {
    return !this.asked || !this.wanted;
  }

  broke(error: Error): void {
    this.broken = true;
    this.copy?.destroy(error);
  }

  /** Whether another copy would be whole. */
  get replayable(): boolean {
    return this.pieces !== undefined && !this.broken;
  }

  /** A stream of the whole body for one attempt; the one before it gets nothing any more. */
  another(): Readable {
    this.copy?.destroy();
    this.hold();
    this.copy = new BodyCopy(this);
    return this.copy;
  }

  /** No further attempt is to come; the one under way gets all of it. */
  forget(): void {
    this.wanted = false;
    if (this.copy === undefined || this.copy.caughtUp) this.drop();
  }

  /** Nobody wants the body any more. What still comes is thrown away until the connection closes (lingering-close.ts). */
  close(): void {
    this.wanted = false;
    this.incoming.leave();
    this.copy?.destroy();
    this.copy = undefined;
    this.drop();
  }

  /** Gives a copy what it has not had yet. */
  feed(copy: BodyCopy): void {
    if (copy !== this.copy) return;
    while (!copy.caughtUp && copy.next < (this.pieces?.length ?? 0)) {
      if (!copy.push(this.pieces?.[copy.next++])) return;
    }
    copy.caughtUp = true;
    const { start } = this;
    this.start = undefined;
    if (start) return this.came(start);
    if (!this.wanted) this.drop();
    if (this.complete) copy.push(null);
    else {
      this.asked = true;
      this.incoming.ask();
    }
  }

  /** The attempt is over. */
  left(copy: BodyCopy): void {
    if (copy !== this.copy) return;
    this.copy = undefined;
    if (!this.wanted) this.close();
    else if (!this.complete) this.hold();
  }

  came(chunk: Buffer): void {
    if (this.pieces) this.keep(chunk, this.pieces);
    if (this.copy && !this.copy.push(chunk)) this.hold();
  }

  cameWhole(): void {
    this.complete = true;
    if (this.copy?.caughtUp) this.copy.push(null);
  }

  private hold(): void {
    this.asked = false;
    this.incoming.hold();
  }

  private keep(chunk: Buffer, pieces: Buffer[]): void {
    const tooLarge = Math.max(this.context.bodyLength ?? 0, this.kept + chunk.length) > this.bounds.keptBytes;
    if (!this.wanted || tooLarge || !this.memory.take(this.tenantId, chunk.length)) return this.drop();
    this.kept += chunk.length;
    const last = pieces.at(-1);
    if (last && last.length + chunk.length <= PIECE_BYTES)
      pieces[pieces.length - 1] = Buffer.concat([last, chunk]);
    else pieces.push(chunk);
  }

  private drop(): void {
    this.pieces = undefined;
    this.memory.giveBack(this.tenantId, this.kept);
    this.kept = 0;
  }
}

/** The body on its way in one attempt. A stream of its own, because undici destroys the body of a request that fails. */
class BodyCopy extends Readable {
  /** Which of the kept pieces comes next. */
  next = 0;
  /** It has had what was kept, and gets the rest as it comes in. */
  caughtUp = false;

  constructor(private readonly body: KeptBody) {
    super();
    // It may fail after undici has let go of it.
    this.on('error', () => undefined);
  }

  override _read(): void {
    this.body.feed(this);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.body.left(this);
    callback(error);
  }
}
