import type { Dispatcher } from 'undici';

/** Of an answer that nobody reads so much is waited for, to keep the connection; then it is cut off. */
const MAX_DISCARDED_BYTES = 1_048_576;

/** What is sent to a mirror. */
export interface CopiedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: string[];
  readonly body: Buffer | null;
  readonly timeoutMs: number;
}

/**
 * One copy of a request, sent and its answer thrown away: an undici handler. It ends exactly once, within its time.
 */
export class MirrorCopy {
  private abort: ((error?: Error) => void) | undefined;
  private readonly deadline: NodeJS.Timeout;
  private status: number | undefined;
  private discarded = 0;
  private over = false;

  /** @param ended called once, with the status of the answer, or without if there was none. */
  constructor(
    pool: Dispatcher,
    { method, path, headers, body, timeoutMs }: CopiedRequest,
    private readonly ended: (status: number | undefined) => void,
  ) {
    this.deadline = setTimeout(() => this.giveUp(), timeoutMs);
    try {
      pool.dispatch({ path, method, headers, body, headersTimeout: 0, bodyTimeout: 0 }, this);
    } catch {
      // Something that undici does not send.
      this.end();
    }
  }

  onConnect(abort: (error?: Error) => void): void {
    if (this.over) return abort();
    this.abort = abort;
  }

  onHeaders(status: number): boolean {
    if (status >= 200) this.status = status;
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.discarded += chunk.length;
    if (this.discarded > MAX_DISCARDED_BYTES) this.giveUp();
    return true;
  }

  onComplete(): void {
    this.end();
  }

  onError(): void {
    this.end();
  }

  /** Its time is over, or its answer too long: what is known by now is what it has shown. */
  private giveUp(): void {
    this.end();
    this.abort?.(new Error('nobody waits for the rest'));
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.deadline);
    this.ended(this.status);
  }
}
