import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Label of requests whose tenant is not known. */
export const UNKNOWN_TENANT = 'unknown';
/** Label shared by all tenants beyond the bound. */
export const OTHER_TENANTS = 'other';

/** The documented range is 50 to 3000 ms; a gateway that adds 2 ms needs to see below it. */
const LATENCY_BUCKETS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2000, 3000];

/** What the data plane knows when a request is over. */
export interface FinishedRequest {
  tenantId: string | undefined;
  status: number;
  durationMs: number;
  /** Origin and latency of the upstream call, if there was one. */
  upstream: string | undefined;
  upstreamMs: number | undefined;
}

interface StatusSeries {
  readonly requests: Counter.Internal;
  readonly latency: Histogram.Internal<'tenantId' | 'status'>;
}

/** The label children of one tenant. prom-client hashes label sets on every look-up; holding the children avoids it. */
class TenantSeries {
  readonly byStatus = new Map<number, StatusSeries>();
  readonly byUpstream = new Map<string, Histogram.Internal<'tenantId' | 'upstream'>>();
  constructor(readonly label: string) {}
}

/** Upstreams of one tenant with series of their own; a tenant that keeps moving must not grow the scrape. */
const MAX_UPSTREAMS_PER_TENANT = 8;

/** The data plane's metrics, by the documented names. */
export class GatewayMetrics {
  /** Requests being handled now; plain number because it changes twice per request. */
  inflight = 0;
  /** Event streams and WebSockets that are open now. */
  openStreams = 0;

  private readonly tenants = new Map<string, TenantSeries>();
  private readonly requests: Counter<'tenantId' | 'status'>;
  private readonly authFailures: Counter<'tenantId' | 'reason'>;
  private readonly routeDenials: Counter<'tenantId'>;
  private readonly rateLimited: Counter<'tenantId'>;
  private readonly upstreamErrors: Counter<'tenantId'>;
  private readonly internalErrors: Counter<'type'>;
  private readonly streamsClosed: Counter<'reason'>;
  private readonly latency: Histogram<'tenantId' | 'status'>;
  private readonly upstreamLatency: Histogram<'tenantId' | 'upstream'>;

  constructor(
    registry: Registry,
    private readonly maxTenants: number,
  ) {
    const registers = [registry];
    const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
      new Counter({ name, help, labelNames, registers });
    this.requests = counter('gateway_requests_total', 'Requests through the gateway', ['tenantId', 'status']);
    this.authFailures = counter('gateway_auth_failures_total', 'Refused credentials', ['tenantId', 'reason']);
    this.routeDenials = counter('gateway_route_denials_total', 'Requests outside the allowed routes', [
      'tenantId',
    ]);
    this.rateLimited = counter('gateway_rate_limited_total', 'Requests refused by the rate limit', [
      'tenantId',
    ]);
    this.upstreamErrors = counter('gateway_upstream_errors_total', 'Upstream 5xx and transport errors', [
      'tenantId',
    ]);
    this.internalErrors = counter('gateway_internal_errors_total', 'Errors of the gateway itself', ['type']);
    this.streamsClosed = counter(
      'gateway_streams_closed_total',
      'Event streams and WebSockets closed because they would be refused by now',
      ['reason'],
    );
    this.latency = new Histogram({
      name: 'gateway_latency_ms',
      help: 'End-to-end latency in milliseconds',
      labelNames: ['tenantId', 'status'],
      buckets: LATENCY_BUCKETS_MS,
      registers,
    });
    this.upstreamLatency = new Histogram({
      name: 'gateway_upstream_latency_ms',
      help: 'Latency of the upstream in milliseconds, until its response was complete',
      labelNames: ['tenantId', 'upstream'],
      buckets: LATENCY_BUCKETS_MS,
      registers,
    });
    const gauge = (name: string, help: string, value: () => number): void => {
      const collect = (): void => shown.set(value());
      const shown = new Gauge({ name, help, registers, collect });
    };
    gauge('gateway_inflight_requests', 'Requests being handled now', () => this.inflight);
    gauge('gateway_open_streams', 'Event streams and WebSockets open now', () => this.openStreams);
  }

  finished(request: FinishedRequest): void {
    const tenant = this.series(request.tenantId);
    const series = tenant.byStatus.get(request.status) ?? this.statusSeries(tenant, request.status);
    series.requests.inc();
    series.latency.observe(request.durationMs);
    if (request.upstream !== undefined && request.upstreamMs !== undefined) {
      const upstream =
        tenant.byUpstream.get(request.upstream) ?? this.upstreamSeries(tenant, request.upstream);
      upstream.observe(request.upstreamMs);
    }
  }

  authFailure(tenantId: string | undefined, reason: string): void {
    this.authFailures.inc({ tenantId: this.series(tenantId).label, reason });
  }

  routeDenial(tenantId: string | undefined): void {
    this.routeDenials.inc({ tenantId: this.series(tenantId).label });
  }

  rateLimit(tenantId: string | undefined): void {
    this.rateLimited.inc({ tenantId: this.series(tenantId).label });
  }

  upstreamError(tenantId: string | undefined): void {
    this.upstreamErrors.inc({ tenantId: this.series(tenantId).label });
  }

  /** @param reason a code of the catalogue. */
  streamClosed(reason: string): void {
    this.streamsClosed.inc({ reason });
  }

  /** @param type where it broke: a word from the code, never from a request. */
  internalError(type: string): void {
    this.internalErrors.inc({ type });
  }

  /** What a tenant's series are called, also those of other metrics. */
  tenantLabel(tenantId: string | undefined): string {
    return this.series(tenantId).label;
  }

  /** Forgets nothing once given: a label that moved from its own name to "other" would make counters go backwards. */
  private series(tenantId: string | undefined): TenantSeries {
    const id = tenantId ?? UNKNOWN_TENANT;
    const known = this.tenants.get(id);
    if (known) return known;
    const label = tenantId === undefined || this.tenants.size < this.maxTenants ? id : OTHER_TENANTS;
    const series = this.tenants.get(label) ?? new TenantSeries(label);
    this.tenants.set(label, series);
    return series;
  }

  private statusSeries(tenant: TenantSeries, status: number): StatusSeries {
    const labels = { tenantId: tenant.label, status: String(status) };
    const series = { requests: this.requests.labels(labels), latency: this.latency.labels(labels) };
    tenant.byStatus.set(status, series);
    return series;
  }

  private upstreamSeries(
    tenant: TenantSeries,
    upstream: string,
  ): Histogram.Internal<'tenantId' | 'upstream'> {
    const bounded = tenant.label !== OTHER_TENANTS && tenant.byUpstream.size < MAX_UPSTREAMS_PER_TENANT;
    const label = bounded ? upstream : 'other';
    const series =
      tenant.byUpstream.get(label) ??
      this.upstreamLatency.labels({ tenantId: tenant.label, upstream: label });
    tenant.byUpstream.set(label, series);
    return series;
  }
}
