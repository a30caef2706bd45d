import type { RequestContext } from '#libs/guards';
import type { AttemptRecord, FinishedSpan, RequestTrace, SpanAttributes } from '#libs/tracing';

/** As OpenTelemetry's conventions for HTTP list them; other methods are a client's own words. */
const METHODS = new Set(
  ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE', 'QUERY'], // prettier-ignore
);

const MAX_TEXT = 1024;

/** How a request ended. */
export interface Outcome {
  /** What the client got. */
  readonly status: number;
  /** Monotonic milliseconds. */
  readonly endedAt: number;
  /** Milliseconds since the epoch at which the monotonic clock read zero. */
  readonly epoch: number;
}

/**
 * The spans of a request that was recorded: its own, one for each guard that it came to, and one for each attempt at an
 * upstream. Names and attributes are those of OpenTelemetry's conventions for HTTP; what is Gatehouse's own begins with
 * `gatehouse.`. Nothing of them is a key, a token, a header or a query.
 */
export function requestSpans(context: RequestContext, trace: RequestTrace, outcome: Outcome): FinishedSpan[] {
  return [
    serverSpan(context, trace, outcome),
    ...guardSpans(context, trace, outcome),
    ...attemptSpans(context, trace, outcome),
  ];
}

function serverSpan(context: RequestContext, trace: RequestTrace, outcome: Outcome): FinishedSpan {
  const { refusal, service, caller } = context;
  const { status, endedAt, epoch } = outcome;
  const [version] = /\d+(?:\.[1-9])?/.exec(context.protocol) ?? [];
  const { address, port } = placeOf(`${context.scheme}://${context.host}`);
  const route = routeOf(context);
  const failed = status >= 500;
  return {
    name: route === undefined ? methodName(context) : `${methodName(context)} ${route}`,
    kind: 'server',
    spanId: trace.spanId,
    parentId: trace.parent?.spanId,
    startedAt: epoch + context.startedAt,
    endedAt: epoch + endedAt,
    failed,
    // prettier-ignore
    attributes: [
      ...methodOf(context),
      'url.path', short(context.path),
      'url.scheme', context.scheme,
      'http.route', route,
      'http.response.status_code', status,
      'server.address', address,
      'server.port', port,
      'client.address', context.clientAddress,
      'network.protocol.version', version,
      'error.type', refusal?.code ?? (failed ? String(status) : undefined),
      'gatehouse.request_id', context.id,
      'gatehouse.tenant', context.tenant?.id,
      'gatehouse.service', service?.id,
      'gatehouse.api_key', caller?.key.id,
      'gatehouse.decision', refusal?.code ?? 'allow',
      'gatehouse.cache', context.cache,
      'gatehouse.attempts', context.attempts > 1 ? context.attempts : undefined,
      'gatehouse.retry_withheld', context.retryWithheld,
    ],
  };
}

function guardSpans(context: RequestContext, trace: RequestTrace, outcome: Outcome): FinishedSpan[] {
  const { steps = [] } = trace.recording ?? {};
  const { refusal, judge } = context;
  return steps.flatMap(({ name, startedAt }, i) => {
    if (!GUARDS.has(name)) return [];
    const refused = refusal !== undefined && judge === name;
    return {
      name,
      kind: 'internal',
      spanId: trace.newSpanId(),
      parentId: trace.spanId,
      startedAt: outcome.epoch + startedAt,
      endedAt: outcome.epoch + (steps[i + 1]?.startedAt ?? outcome.endedAt),
      failed: refused && refusal.status >= 500,
      attributes: refused ? ['error.type', refusal.code] : NOTHING,
    };
  });
}

/** All that most guards have to say. */
const NOTHING: SpanAttributes = [];

/** The steps that have spans of their own; the others only end the one before them. */
const GUARDS: ReadonlySet<string> = new Set([
  'api_key',
  'route',
  'jwt',
  'signature',
  'concurrency',
  'rate_limit',
]);

function attemptSpans(context: RequestContext, trace: RequestTrace, outcome: Outcome): FinishedSpan[] {
  const made = trace.recording?.attempts ?? [];
  const { upstreamStartedAt, attemptStartedAt } = context;
  // A connection that never came about: nothing was sent.
  const unsent =
    upstreamStartedAt !== undefined &&
    made.length < Math.max(1, context.attempts) &&
    made.at(-1)?.status === undefined;
  const attempts: AttemptRecord[] = unsent
    ? [...made, { spanId: trace.newSpanId(), startedAt: attemptStartedAt ?? upstreamStartedAt }]
    : made;
  return attempts.map((attempt, i) => attemptSpan(context, trace, outcome, attempt, i));
}

function attemptSpan(
  context: RequestContext,
  trace: RequestTrace,
  { endedAt, epoch }: Outcome,
  attempt: AttemptRecord,
  resends: number,
): FinishedSpan {
  const { upstream, refusal, upstreamEndedAt = endedAt } = context;
  const origin = attempt.origin ?? upstream?.origin;
  const { status } = attempt;
  const last = attempt.endedAt === undefined;
  const error = attempt.error ?? (last ? refusal?.code : undefined);
  const failed = error !== undefined || (status ?? 0) >= 400;
  const path = context.shaped?.path ?? context.routedPath;
  const { address, port } = origin === undefined ? {} : placeOf(origin);
  return {
    name: methodName(context),
    kind: 'client',
    spanId: attempt.spanId,
    parentId: trace.spanId,
    startedAt: epoch + attempt.startedAt,
    endedAt: epoch + Math.max(attempt.startedAt, attempt.endedAt ?? upstreamEndedAt),
    failed,
    // prettier-ignore
    attributes: [
      ...methodOf(context),
      'url.full', origin === undefined ? undefined : short(origin + path),
      'server.address', address,
      'server.port', port,
      'http.response.status_code', status,
      'http.request.resend_count', resends > 0 ? resends : undefined,
      'error.type', error ?? (failed ? String(status) : undefined),
    ],
  };
}

/** Spans wait for their delivery, and clients choose how long a path is. */
function short(text: string): string {
  return text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text;
}

/** Of few values, whatever clients ask for. */
function routeOf({ route, service, serviceId, published }: RequestContext): string | undefined {
  if (published || route) return route?.path;
  return service && serviceId !== undefined ? `/proxy/${serviceId}` : undefined;
}

function methodName({ method }: RequestContext): string {
  return METHODS.has(method) ? method : 'HTTP';
}

function methodOf({ method }: RequestContext): SpanAttributes {
  if (METHODS.has(method)) return ['http.request.method', method];
  return ['http.request.method', '_OTHER', 'http.request.method_original', method];
}

interface Place {
  readonly address?: string;
  readonly port?: number;
}

/** Taken apart before; bounded, because clients choose what they ask for. */
const places = new Map<string, Place>();
const MAX_PLACES = 1000;

function placeOf(origin: string): Place {
  const known = places.get(origin);
  if (known) return known;
  const place = parsed(origin);
  if (places.size < MAX_PLACES) places.set(origin, place);
  return place;
}

function parsed(origin: string): Place {
  if (!URL.canParse(origin)) return {};
  const { hostname, port, protocol } = new URL(origin);
  return {
    address: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
  };
}
