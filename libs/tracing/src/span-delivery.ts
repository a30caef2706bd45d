import { hostname } from 'node:os';
import type { TracingConfig } from '#libs/config';
import { Collector } from './collector';
import type { FinishedSpan, SpanAttributes } from './finished-span';
import type { TracingSurroundings } from './open-tracing';
import { exportJson, spanJson } from './otlp-json';
import type { RequestTrace } from './request-trace';

/** At shutdown: longer nobody waits for a collector that is not there. */
const CLOSE_MS = 3000;
const MAX_BATCH = 512;

/** The spans of one request, in OTLP's JSON with commas between. */
interface Waiting {
  readonly json: string;
  readonly spans: number;
}

/** What one delivery takes. */
interface Batch {
  readonly texts: readonly string[];
  readonly spans: number;
}

/** The way of spans to the collector: a queue with a bound, one delivery at a time, and a count of what becomes of them. */
export class SpanDelivery {
  private readonly collector: Collector;
  private readonly resource: SpanAttributes;
  private readonly maxBatch: number;
  private queue: Waiting[] = [];
  private queued = 0;
  /** Spans that have been taken and are neither delivered nor lost. */
  private waiting = 0;
  private failing = false;
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> | undefined;

  constructor(
    private readonly config: TracingConfig,
    private readonly house: TracingSurroundings,
  ) {
    this.maxBatch = Math.min(MAX_BATCH, config.maxQueuedSpans);
    this.collector = new Collector(config);
    this.resource = resourceOf(config);
  }

  /** Takes the spans of one request, all or none; what is dropped is not even made. */
  take(trace: RequestTrace, make: () => readonly FinishedSpan[]): void {
    const { steps = [], attempts = [] } = trace.recording ?? {};
    // Its own span makes up for the last step, which has none.
    const expected = Math.max(1, steps.length + attempts.length);
    if (this.waiting + expected > this.config.maxQueuedSpans) return this.house.count('dropped', expected);
    const made = make();
    let json = '';
    for (const span of made) json += `${json === '' ? '' : ','}${spanJson(span, trace)}`;
    this.queue.push({ json, spans: made.length });
    this.queued += made.length;
    this.waiting += made.length;
    this.schedule();
  }

  /** Delivers what is left, for three seconds at the most. */
  async close(): Promise<void> {
    const { promise, stop } = patience(CLOSE_MS);
    await Promise.race([this.deliverAll(), promise]);
    stop();
    await this.collector.close();
  }

  private async deliverAll(): Promise<void> {
    while (this.sending || this.queue.length > 0) {
      this.send();
      await this.sending;
    }
  }

  /** A full batch goes at once, others when they have waited for as long as they may. */
  private schedule(): void {
    if (this.queued >= this.maxBatch) this.send();
    else if (this.queued > 0) this.timer ??= setTimeout(() => this.send(), this.config.delayMs).unref();
  }

  /** One delivery at a time: what comes meanwhile waits for its end. */
  private send(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.sending || this.queue.length === 0) return;
    this.sending = this.export(this.nextBatch()).finally(() => {
      this.sending = undefined;
      this.schedule();
    });
  }

  private nextBatch(): Batch {
    let end = 0;
    let spans = 0;
    while (end < this.queue.length && spans < this.maxBatch) spans += (this.queue[end++] as Waiting).spans;
    const texts = this.queue.splice(0, end).map(({ json }) => json);
    this.queued -= spans;
    return { texts, spans };
  }

  private async export({ texts, spans }: Batch): Promise<void> {
    try {
      await this.collector.send(exportJson(this.resource, texts));
      this.settled(spans, undefined);
    } catch (error) {
      this.settled(spans, error as Error);
    }
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

function resourceOf({ resourceAttributes }: TracingConfig): SpanAttributes {
  return ['host.name', hostname(), 'process.pid', process.pid, ...[...resourceAttributes].flat()];
}

function patience(ms: number): { promise: Promise<void>; stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  return { promise, stop: () => clearTimeout(timer) };
}
