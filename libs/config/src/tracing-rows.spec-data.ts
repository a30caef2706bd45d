import type { GatewayConfig } from './config';

const ON = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' };
type Row = [
  name: string,
  raw: string,
  read: (config: GatewayConfig) => unknown,
  value: unknown,
  others?: Record<string, string>,
];

/** For the test that every variable is read. */
export const TRACING_ROWS: Row[] = [
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://o:4318', (c) => c.tracing?.endpoint, 'http://o:4318/v1/traces'],
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://t:1/x', (c) => c.tracing?.endpoint, 'http://t:1/x'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'a=b%20c,d=e', (c) => c.tracing?.headers, new Map([['a', 'b c'], ['d', 'e']]), ON],
  ['OTEL_EXPORTER_OTLP_TIMEOUT', '99', (c) => c.tracing?.timeoutMs, 99, ON],
  ['OTEL_SERVICE_NAME', 'edge', (c) => c.tracing?.resourceAttributes.get('service.name'), 'edge', ON],
  ['OTEL_RESOURCE_ATTRIBUTES', 'region=eu', (c) => c.tracing?.resourceAttributes.get('region'), 'eu', ON],
  ['OTEL_TRACES_SAMPLER', 'always_off', (c) => c.tracing?.sampling.ratio, 0, ON],
  ['OTEL_TRACES_SAMPLER_ARG', '0.01', (c) => c.tracing?.sampling.ratio, 0.01, { ...ON, OTEL_TRACES_SAMPLER: 'traceidratio' }],
  ['OTEL_BSP_SCHEDULE_DELAY', '98', (c) => c.tracing?.delayMs, 98, ON],
  ['OTEL_BSP_MAX_QUEUE_SIZE', '97', (c) => c.tracing?.maxQueuedSpans, 97, ON],
  ['TRACES_ASKED_PER_SECOND', '0', (c) => c.tracing?.sampling.askedPerSecond, 0, ON],
]; // prettier-ignore
