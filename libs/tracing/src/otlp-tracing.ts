import type { TracingConfig } from '#libs/config';
import type { FinishedSpan } from './finished-span';
import type { Tracing, TracingSurroundings } from './open-tracing';
import { RandomIds } from './random-ids';
import { RequestTrace } from './request-trace';
import { Sampling } from './sampling';
import { SpanDelivery } from './span-delivery';
import { takeParent } from './trace-context';

/** Tracing as OpenTelemetry has it: its sampler, its settings, its protocol. */
export class OtlpTracing implements Tracing {
  private readonly ids = new RandomIds();
  private readonly newSpanId = (): string => this.ids.spanId();
  private readonly sampling: Sampling;
  private readonly delivery: SpanDelivery;

  constructor(config: TracingConfig, house: TracingSurroundings) {
    this.sampling = new Sampling(config.sampling);
    this.delivery = new SpanDelivery(config, house);
  }

  begin(headers: string[]): RequestTrace {
    const parent = takeParent(headers);
    const traceId = parent?.traceId ?? this.ids.traceId();
    const sampled = this.sampling.takes(traceId, parent?.sampled);
    const recording = sampled ? { steps: [], attempts: [] } : undefined;
    const identity = { traceId, spanId: this.newSpanId(), parent, sampled };
    return new RequestTrace(identity, recording, this.newSpanId);
  }

  deliver(trace: RequestTrace, make: () => readonly FinishedSpan[]): void {
    this.delivery.take(trace, make);
  }

  close(): Promise<void> {
    return this.delivery.close();
  }
}
