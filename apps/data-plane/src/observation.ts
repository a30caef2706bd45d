import type { GatewayError } from '#libs/errors';
import type { GatewayRequest, RequestContext } from '#libs/guards';
import type { AccessRecord, LogCategory, Logging } from '#libs/logging';
import type { GatewayMetrics } from '#libs/metrics';
import type { Accounting } from './accounting';
import type { Load } from './load';
import type { RequestTrace, Tracing } from '#libs/tracing';
import { EventBudget } from './http2/event-budget';
import type { EdgeStats } from './edge/edge-stats';
import type { Reports } from './reports';
import { releaseTarget } from './release-target';
import { requestSpans } from './tracing/request-spans';

/** Refused requests under overload that are logged with their reason. */
const SHED_LINES = { burst: 20, perSecond: 5 };

/** Who else is told, where there is such a one. */
interface Beside {
  readonly edge?: EdgeStats | undefined;
  readonly reports?: Pick<Reports, 'note'>;
  readonly tracing?: Tracing | undefined;
}

/**
 * Metrics, access log and usage of a request, exactly once for every outcome. They hang on the end of the response, the one
 * thing that every request comes to, whoever has refused or answered it.
 */
export class Observation {
  private readonly shedLines = new EventBudget(SHED_LINES.burst, SHED_LINES.perSecond, 0);

  constructor(
    private readonly metrics: GatewayMetrics,
    private readonly logging: Logging,
    private readonly accounting: Accounting,
    private readonly load: Pick<Load, 'concurrency' | 'metrics'>,
    private readonly beside: Beside = {},
  ) {}

  begin(): void {
    this.metrics.inflight += 1;
  }

  /**
   * @param status what the client got; 499 if it went away before there was one.
   * @param whole whether it got all of it.
   */
  end(context: RequestContext, status: number, whole: boolean): void {
    context.over = true;
    this.load.concurrency.leave(context);
    if (context.target) releaseTarget(context, status);
    if (whole) this.accounting.delivered(context, status);
    else this.accounting.ended(context, status);
    this.beside.edge?.note(context);
    const endedAt = performance.now();
    const durationMs = endedAt - context.startedAt;
    const { upstreamStartedAt, attemptStartedAt, upstreamEndedAt = endedAt } = context;
    const upstreamMs = upstreamStartedAt === undefined ? undefined : upstreamEndedAt - upstreamStartedAt;
    this.beside.reports?.note(context, status, durationMs);
    const tenantId = context.tenant?.id;
    this.metrics.inflight -= 1;
    this.metrics.finished({
      tenantId,
      status,
      durationMs,
      upstream: context.upstream?.origin,
      // Of the last attempt: those before it, and the waits, were not this upstream's.
      upstreamMs: attemptStartedAt === undefined ? upstreamMs : upstreamEndedAt - attemptStartedAt,
    });
    this.noteSignatures(context);
    if (context.refusal) this.refused(context, context.refusal);
    else if (status >= 500 && upstreamMs !== undefined) this.metrics.upstreamError(tenantId);
    this.logging.access(accessEntry(context, status, durationMs, upstreamMs));
    if (context.trace?.recording) this.deliver(context, context.trace, status, endedAt);
  }

  private noteSignatures({ tenant, verifiedSignature, signed }: RequestContext): void {
    if (verifiedSignature !== undefined || signed !== undefined)
      this.metrics.signatures(tenant?.id, verifiedSignature?.scheme, signed);
  }

  private deliver(context: RequestContext, trace: RequestTrace, status: number, endedAt: number): void {
    const epoch = Date.now() - performance.now();
    this.beside.tracing?.deliver(trace, () => requestSpans(context, trace, { status, endedAt, epoch }));
  }

  /** An error nobody planned for. */
  internalError(error: unknown, request: unknown): void {
    const { id } = (request as GatewayRequest).context ?? {};
    this.metrics.internalError(error instanceof Error ? error.name : 'unknown');
    this.logging.logger.error({ err: error, requestId: id }, 'the gateway failed');
  }

  private refused(context: RequestContext, refusal: GatewayError): void {
    const tenantId = context.tenant?.id;
    const category = this.count(context, refusal);
    // Access lines and metric tell of each; under overload a second line for each would be part of it.
    if (context.shed && !this.shedLines.spend(performance.now())) return;
    const level = refusal.definition.fault === 'client' ? 'warn' : 'error';
    const cause = refusal.cause instanceof Error ? refusal.cause.message : undefined;
    this.logging.logger[level](
      {
        category,
        decision: 'deny',
        guard: context.judge,
        reason: refusal.code,
        detail: refusal.publicDetail,
        cause,
        requestId: context.id,
        tenantId,
        ip: context.clientAddress,
        method: context.method,
        path: context.path,
      },
      'refused',
    );
  }

  private count(context: RequestContext, refusal: GatewayError): LogCategory {
    const tenantId = context.tenant?.id;
    switch (context.judge) {
      case 'api_key':
      case 'jwt':
      case 'signature':
        this.metrics.authFailure(tenantId, refusal.code);
        return 'auth';
      case 'route':
        this.metrics.routeDenial(tenantId);
        return 'policy';
      case 'rate_limit':
        if (refusal.code === 'rate_limited') this.metrics.rateLimit(tenantId);
        return 'policy';
      case 'upstream':
        if (refusal.code === 'circuit_open') this.metrics.breakerRefusal(tenantId);
        else if (refusal.definition.fault === 'upstream') this.metrics.upstreamError(tenantId);
        if (refusal.code === 'request_timeout') this.load.metrics.slowClient('request');
        if (refusal.code === 'client_too_slow') this.load.metrics.slowClient('response');
        return 'request';
      case 'open_stream':
        this.metrics.streamClosed(refusal.code);
        return 'auth';
      case 'concurrency':
        if (context.shed) this.metrics.shed(tenantId, context.shed);
        return 'policy';
      case 'maintenance':
      case 'body_size':
      case 'admission':
        return 'policy';
    }
  }
}

function accessEntry(
  context: RequestContext,
  status: number,
  durationMs: number,
  upstreamMs: number | undefined,
): AccessRecord {
  return {
    endedAt: Date.now(),
    requestId: context.id,
    traceId: context.trace?.traceId,
    tenantId: context.tenant?.id,
    protocol: context.protocol,
    scheme: context.scheme,
    method: context.method,
    path: context.path,
    serviceId: context.service?.id,
    route: context.route?.path,
    status,
    durationMs,
    upstreamMs,
    attempts: context.attempts > 1 ? context.attempts : undefined,
    retryWithheld: context.retryWithheld,
    clientAddress: context.clientAddress,
    signedBy: context.verifiedSignature?.keyId,
    decision: context.refusal?.code ?? 'allow',
    bytesIn: context.bytesIn,
    bytesOut: context.bytesOut,
    coding: context.coding,
    mirrored: context.mirrored,
    cache: context.cache,
  };
}
