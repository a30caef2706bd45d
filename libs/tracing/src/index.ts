/**
 * tracing: the trace that a request belongs to (W3C Trace Context), which requests are recorded, and the delivery of their
 * spans by OTLP. OpenTelemetry's packages are loaded only where tracing is switched on.
 * Not here: what a request's spans say; the data plane knows that.
 */
export { RequestTrace, type AttemptRecord, type Recording, type StepRecord } from './request-trace';
export type { FinishedSpan, SpanAttributes } from './finished-span';
export { openTracing, type SpanOutcome, type Tracing, type TracingSurroundings } from './open-tracing';
