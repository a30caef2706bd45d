import type { SettingValues } from './settings';

/** Where spans go, and of which requests there are any. */
export interface TracingConfig {
  /** The whole URL. */
  readonly endpoint: string;
  /** They may hold a credential. */
  readonly headers: ReadonlyMap<string, string>;
  readonly timeoutMs: number;
  /** With `service.name`. */
  readonly resourceAttributes: ReadonlyMap<string, string>;
  readonly sampling: {
    /** Whether the word of the caller counts, where there is one. */
    readonly followsParent: boolean;
    /** Share of the others that is recorded, 0 to 1. */
    readonly ratio: number;
    /** Per second, of those that are recorded at the word of their caller; 0 stands for no bound. */
    readonly askedPerSecond: number;
  };
  readonly delayMs: number;
  readonly maxQueuedSpans: number;
}

/** Undefined: tracing is off. */
export function tracingConfig(values: SettingValues): TracingConfig | undefined {
  const endpoint = values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? below(values.OTEL_EXPORTER_OTLP_ENDPOINT);
  if (endpoint === undefined) return undefined;
  return Object.freeze({
    endpoint,
    headers: values.OTEL_EXPORTER_OTLP_HEADERS ?? new Map<string, string>(),
    timeoutMs: values.OTEL_EXPORTER_OTLP_TIMEOUT,
    resourceAttributes: resourceOf(values),
    sampling: {
      followsParent: values.OTEL_TRACES_SAMPLER.startsWith('parentbased_'),
      ratio: ratioOf(values),
      askedPerSecond: values.TRACES_ASKED_PER_SECOND,
    },
    delayMs: values.OTEL_BSP_SCHEDULE_DELAY,
    maxQueuedSpans: values.OTEL_BSP_MAX_QUEUE_SIZE,
  });
}

function resourceOf({ OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES }: SettingValues): Map<string, string> {
  const attributes = new Map([['service.name', 'gatehouse'], ...(OTEL_RESOURCE_ATTRIBUTES ?? [])]);
  if (OTEL_SERVICE_NAME !== undefined) attributes.set('service.name', OTEL_SERVICE_NAME);
  return attributes;
}

function ratioOf({ OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG }: SettingValues): number {
  if (OTEL_TRACES_SAMPLER.endsWith('always_on')) return 1;
  if (OTEL_TRACES_SAMPLER.endsWith('always_off')) return 0;
  return OTEL_TRACES_SAMPLER_ARG;
}

/** As the specification of the exporter has it. */
function below(base: string | undefined): string | undefined {
  if (base === undefined) return undefined;
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  return url.href;
}
