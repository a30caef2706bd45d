import type { TraceParent } from './trace-context';

/** When a step of the request path began, monotonic milliseconds; it lasts until the next one begins. */
export interface StepRecord {
  readonly name: string;
  readonly startedAt: number;
}

/** One attempt at an upstream. */
export interface AttemptRecord {
  readonly spanId: string;
  readonly startedAt: number;
  endedAt?: number;
  /** Whom it was sent to; absent: whom the last one was. */
  origin?: string;
  /** Of the response's head. */
  status?: number;
  /** Why there is another attempt. */
  error?: string;
}

/** What is noted of a request that is recorded. */
export interface Recording {
  readonly steps: StepRecord[];
  readonly attempts: AttemptRecord[];
}

/** What a trace is made of. */
interface Identity {
  readonly traceId: string;
  /** Of the request's own span, which its upstream has as its parent where nothing is recorded. */
  readonly spanId: string;
  readonly parent: TraceParent | undefined;
  readonly sampled: boolean;
}

/** The trace that one request belongs to, and what is noted for its spans. Nothing is noted unless it is recorded. */
export class RequestTrace {
  private open: AttemptRecord | undefined = undefined;

  /** @param recording undefined: nothing is noted. */
  constructor(
    private readonly identity: Identity,
    readonly recording: Recording | undefined,
    readonly newSpanId: () => string,
  ) {}

  get traceId(): string {
    return this.identity.traceId;
  }

  get spanId(): string {
    return this.identity.spanId;
  }

  get parent(): TraceParent | undefined {
    return this.identity.parent;
  }

  /** A step of the request path begins, and the one before it is over. */
  enter(name: string): void {
    this.recording?.steps.push({ name, startedAt: performance.now() });
  }

  /**
   * Another attempt at the upstream begins.
   * @returns the headers, flat, and behind them those by which the upstream takes part in the trace.
   */
  attempt(headers: readonly string[]): string[] {
    const { recording } = this;
    if (recording === undefined) return this.passOn(headers, this.spanId);
    this.open = { spanId: this.newSpanId(), startedAt: performance.now() };
    recording.attempts.push(this.open);
    return this.passOn(headers, this.open.spanId);
  }

  /** The head of a response has come for the attempt under way. */
  answered(status: number): void {
    if (this.open) this.open.status = status;
  }

  /**
   * The attempt under way has failed, and there will be another.
   * @param startedAt of one that nothing was sent in.
   */
  attemptFailed(
    error: string,
    status: number | undefined,
    origin: string | undefined,
    startedAt: number,
  ): void {
    const { recording } = this;
    if (recording === undefined) return;
    let failed = this.open;
    if (!failed) recording.attempts.push((failed = { spanId: this.newSpanId(), startedAt }));
    failed.endedAt = performance.now();
    failed.error = error;
    failed.status ??= status;
    failed.origin = origin;
    this.open = undefined;
  }

  /** For what is sent on behalf of the request, but is no attempt at answering it. */
  passOn(headers: readonly string[], spanId: string = this.spanId): string[] {
    const { parent } = this;
    const more = ['traceparent', `00-${this.traceId}-${spanId}-${this.identity.sampled ? '01' : '00'}`];
    if (parent !== undefined && parent.state !== '') more.push('tracestate', parent.state);
    return headers.concat(more);
  }

  /** The same for a request that goes on by itself, when nobody notes anything any more. */
  behind(): RequestTrace {
    return new RequestTrace(this.identity, undefined, this.newSpanId);
  }
}
