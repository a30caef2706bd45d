import type { FinishedSpan, SpanAttributes } from './finished-span';
import type { TraceParent } from './trace-context';

/** Which trace a span is of, and who began it. */
interface SpanOwner {
  readonly traceId: string;
  readonly parent: TraceParent | undefined;
}

/** SpanKind and StatusCode of opentelemetry/proto/trace/v1/trace.proto. */
const KINDS = { internal: 1, server: 2, client: 3 };
const STATUS_ERROR = 2;
/** SpanFlags of the same: sampled, and that it is known whether the parent is in another process. */
const OWN_PARENT = 0x101;
const REMOTE_PARENT = 0x301;

/**
 * A span as OTLP's JSON (opentelemetry.io/docs/specs/otlp, JSON Protobuf Encoding). Text at once, because it waits for
 * its delivery: a handful of objects for each span would be carried along by several collections of garbage.
 */
export function spanJson(span: FinishedSpan, { traceId, parent }: SpanOwner): string {
  const { parentId } = span;
  const parentField = parentId === undefined ? '' : `"parentSpanId":"${parentId}",`;
  const flags = parentId !== undefined && parentId === parent?.spanId ? REMOTE_PARENT : OWN_PARENT;
  const status = span.failed ? `{"code":${STATUS_ERROR}}` : '{}';
  return (
    `{"traceId":"${traceId}","spanId":"${span.spanId}",${parentField}"flags":${flags},` +
    `"name":${JSON.stringify(span.name)},"kind":${KINDS[span.kind]},"startTimeUnixNano":"${nanos(span.startedAt)}",` +
    `"endTimeUnixNano":"${nanos(span.endedAt)}","status":${status},"attributes":[${attributesJson(span.attributes)}]}`
  );
}

/**
 * An ExportTraceServiceRequest.
 * @param resource attributes of whoever sends it.
 * @param spans texts of `spanJson`, several of them in one with commas between.
 */
export function exportJson(resource: SpanAttributes, spans: readonly string[]): string {
  return (
    `{"resourceSpans":[{"resource":{"attributes":[${attributesJson(resource)}]},` +
    `"scopeSpans":[{"scope":{"name":"gatehouse"},"spans":[${spans.join()}]}]}]}`
  );
}

function attributesJson(attributes: SpanAttributes): string {
  let json = '';
  for (let i = 0; i < attributes.length; i += 2) {
    const value = attributes[i + 1];
    if (value === undefined) continue;
    json += `${json === '' ? '' : ','}{"key":${JSON.stringify(attributes[i])},"value":${valueJson(value)}}`;
  }
  return json;
}

function valueJson(value: string | number | boolean): string {
  if (typeof value === 'string') return `{"stringValue":${JSON.stringify(value)}}`;
  if (typeof value === 'boolean') return `{"boolValue":${value}}`;
  return Number.isInteger(value) ? `{"intValue":${value}}` : `{"doubleValue":${value}}`;
}

/** As text, for a double has no room for nanoseconds since the epoch. */
function nanos(ms: number): string {
  const whole = Math.floor(ms);
  return `${whole}${String(Math.floor((ms - whole) * 1e6)).padStart(6, '0')}`;
}
