import { integer, oneOf, pairs, ratio, text, url } from './parsers';

/** The part of the settings that says where spans go. The names and meanings are OpenTelemetry's. */
export const TRACING_SETTINGS = {
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    section: 'Tracing',
    parse: url('http:', 'https:'),
    doc: 'Where spans are sent by OTLP over HTTP (/v1/traces is appended), such as http://collector:4318; unset: tracing is off.',
  },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: {
    parse: url('http:', 'https:'),
    doc: 'The same as a whole URL, to which nothing is appended; it wins.',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    parse: pairs,
    doc: 'Headers sent along, such as a credential: name=value,… with values percent-encoded.',
  },
  OTEL_EXPORTER_OTLP_TIMEOUT: {
    parse: integer(1, 600_000, 'milliseconds'),
    fallback: '10000',
    doc: 'Time that one delivery may take, its repetitions included.',
  },
  OTEL_SERVICE_NAME: {
    parse: text,
    doc: 'Name of the gateway in traces; unset: service.name of OTEL_RESOURCE_ATTRIBUTES, or gatehouse.',
  },
  OTEL_RESOURCE_ATTRIBUTES: {
    parse: pairs,
    doc: 'Further attributes of the gateway in traces, such as deployment.environment.name=production: name=value,…',
  },
  OTEL_TRACES_SAMPLER: {
    parse: oneOf(
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ),
    fallback: 'parentbased_always_on',
    doc: 'Which requests are recorded; parentbased_ follows the traceparent of the client where there is one.',
  },
  OTEL_TRACES_SAMPLER_ARG: {
    parse: ratio,
    fallback: '1',
    doc: 'Share of the requests that traceidratio records, 0 to 1.',
  },
  OTEL_BSP_SCHEDULE_DELAY: {
    parse: integer(1, 3_600_000, 'milliseconds'),
    fallback: '5000',
    doc: 'Longest time between the end of a span and its delivery.',
  },
  OTEL_BSP_MAX_QUEUE_SIZE: {
    parse: integer(1, 1_000_000),
    fallback: '2048',
    doc: 'Spans that wait for delivery, per process; further ones are dropped and counted.',
  },
  TRACES_ASKED_PER_SECOND: {
    parse: integer(0, 1_000_000),
    fallback: '100',
    doc: 'Requests per second and process that are recorded because their client asks for it; 0 means any number.',
  },
} as const;
