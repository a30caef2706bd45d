import {
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type HrTime,
  type SpanContext,
  type SpanStatus,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import { hostname } from 'node:os';
import type { TracingConfig } from '#libs/config';
import type { FinishedSpan } from './finished-span';
import type { TracingSurroundings } from './open-tracing';
import type { RequestTrace } from './request-trace';

/** At shutdown: longer nobody waits for a collector that is not there. */
const CLOSE_MS = 3000;
const MAX_BATCH = 512;
const SCOPE = { name: 'gatehouse' };
const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL };

const FAILED: SpanStatus = { code: SpanStatusCode.ERROR };
const UNSET: SpanStatus = { code: SpanStatusCode.UNSET };

type Ids = Pick<RequestTrace, 'traceId' | 'parent'>;

/** The way of spans to the collector: OpenTelemetry's queue and exporter, with a count of what becomes of them. */
export class SpanDelivery {
  private readonly resource: Resource;
  private readonly processor: BatchSpanProcessor;
  /** Spans that have been taken and are neither delivered nor lost. */
  private waiting = 0;
  private failing = false;

  constructor(
    private readonly config: TracingConfig,
    private readonly house: TracingSurroundings,
  ) {
    this.resource = resourceFromAttributes({
      'host.name': hostname(),
      'process.pid': process.pid,
      ...Object.fromEntries(config.resourceAttributes),
    });
    const exporter = new OTLPTraceExporter({
      url: config.endpoint,
      headers: Object.fromEntries(config.headers),
      timeoutMillis: config.timeoutMs,
    });
    this.processor = new BatchSpanProcessor({
      exporter: this.counted(exporter),
      // The bound is kept here, by a guess that may be one span off: what the queue dropped would be counted by nobody.
      maxQueueSize: config.maxQueuedSpans + 16,
      maxExportBatchSize: Math.min(MAX_BATCH, config.maxQueuedSpans),
      scheduledDelayMillis: config.delayMs,
      // The exporter keeps its own time; this one is only a second line.
      exportTimeoutMillis: config.timeoutMs + 1000,
    });
  }

  /** Takes the spans of one request, all or none; what is dropped is not even made. */
  take(trace: RequestTrace, make: () => readonly FinishedSpan[]): void {
    const { steps = [], attempts = [] } = trace.recording ?? {};
    // Its own span makes up for the last step, which has none.
    const expected = Math.max(1, steps.length + attempts.length);
    if (this.waiting + expected > this.config.maxQueuedSpans) return this.house.count('dropped', expected);
    const spans = make();
    this.waiting += spans.length;
    for (const span of spans) this.processor.onEnd(new DeliveredSpan(span, trace, this.resource));
  }

  async close(): Promise<void> {
    const { promise, stop } = patience(CLOSE_MS);
    // A failure has been told by the exporter.
    await Promise.race([this.processor.shutdown().catch(() => undefined), promise]);
    stop();
  }

  private counted(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          this.settled(spans.length, result.error);
          done(result);
        }),
      forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
      shutdown: () => exporter.shutdown(),
    };
  }

  /** One line when it begins to fail and one when it is well again: a collector may be away for days. */
  private settled(spans: number, error: Error | undefined): void {
    const { logger, count } = this.house;
    this.waiting -= spans;
    count(error ? 'failed' : 'exported', spans);
    if (error && !this.failing) logger.warn({ cause: error.message }, 'traces cannot be delivered');
    if (!error && this.failing) logger.info('traces are delivered again');
    this.failing = error !== undefined;
  }
}

const NONE: never[] = [];

/** A span as OpenTelemetry's exporters read it; what they read once is made when they do. */
class DeliveredSpan implements ReadableSpan {
  readonly links = NONE;
  readonly events = NONE;
  readonly ended = true;
  readonly instrumentationScope = SCOPE;
  readonly droppedAttributesCount = 0;
  readonly droppedEventsCount = 0;
  readonly droppedLinksCount = 0;
  private readonly context: SpanContext;

  constructor(
    private readonly span: FinishedSpan,
    private readonly trace: Ids,
    readonly resource: Resource,
  ) {
    this.context = { traceId: trace.traceId, spanId: span.spanId, traceFlags: TraceFlags.SAMPLED };
  }

  spanContext(): SpanContext {
    return this.context;
  }

  get name(): string {
    return this.span.name;
  }

  get kind(): SpanKind {
    return KINDS[this.span.kind];
  }

  get parentSpanContext(): SpanContext | undefined {
    const { parentId: spanId } = this.span;
    if (spanId === undefined) return undefined;
    return { ...this.context, spanId, isRemote: spanId === this.trace.parent?.spanId };
  }

  get startTime(): HrTime {
    return hrTime(this.span.startedAt);
  }

  get endTime(): HrTime {
    return hrTime(this.span.endedAt);
  }

  get duration(): HrTime {
    return hrTime(this.span.endedAt - this.span.startedAt);
  }

  get status(): SpanStatus {
    return this.span.failed ? FAILED : UNSET;
  }

  get attributes(): FinishedSpan['attributes'] {
    return this.span.attributes;
  }
}

/** @param ms since the epoch, with fractions. */
function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))];
}

function patience(ms: number): { promise: Promise<void>; stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  return { promise, stop: () => clearTimeout(timer) };
}
