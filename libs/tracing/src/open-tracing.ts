import type { TracingConfig } from '#libs/config';
import type { Logger } from '#libs/logging';
import type { FinishedSpan } from './finished-span';
import type { RequestTrace } from './request-trace';

/** What became of spans: `dropped` are those that found the queue full. */
export type SpanOutcome = 'exported' | 'failed' | 'dropped';

/** What tracing needs from its surroundings. */
export interface TracingSurroundings {
  readonly logger: Logger;
  readonly count: (outcome: SpanOutcome, spans: number) => void;
}

/** Tracing that is switched on. */
export interface Tracing {
  /**
   * The trace of a request that has just come, its caller's or a new one.
   * @param headers flat; what the caller says of traces is taken out of them.
   */
  begin(headers: string[]): RequestTrace;
  /**
   * Hands over the spans of one trace; never waits, and never throws.
   * @param make is not called where there is no room for them.
   */
  deliver(trace: RequestTrace, make: () => readonly FinishedSpan[]): void;
  /** Delivers what is left, for a few seconds at most. */
  close(): Promise<void>;
}

/** Loads OpenTelemetry, unless tracing is off. */
export async function openTracing(
  config: TracingConfig | undefined,
  house: TracingSurroundings,
): Promise<Tracing | undefined> {
  if (config === undefined) return undefined;
  const { OtlpTracing } = await import('./otlp-tracing.js');
  return new OtlpTracing(config, house);
}
