import { Counter, Gauge, type Registry } from 'prom-client';
import { LatencyHistogram, type LatencySeries } from './latency-histogram';

/** Label of requests whose tenant is not known. */
export const UNKNOWN_TENANT = 'unknown';
/** Label shared by all tenants beyond the bound. */
export const OTHER_TENANTS = 'other';

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
  readonly latency: LatencySeries;
}

/** The label children of one tenant. prom-client hashes label sets on every look-up; holding the children avoids it. */
class TenantSeries {
  readonly byStatus = new Map<number, StatusSeries>();
  readonly byUpstream = new Map<string, LatencySeries>();
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

  private bodies: { readonly held: number } | undefined;
  private readonly tenants = new Map<string, TenantSeries>();
  private readonly requests: Counter<'tenantId' | 'status'>;
  private readonly authFailures: Counter<'tenantId' | 'reason'>;
  private readonly routeDenials: Counter<'tenantId'>;
  private readonly rateLimited: Counter<'tenantId'>;
  private readonly upstreamErrors: Counter<'tenantId'>;
  private readonly breakerRefusals: Counter<'tenantId'>;
  private readonly internalErrors: Counter<'type'>;
  private readonly streamsClosed: Counter<'reason'>;
  private readonly latency: LatencyHistogram;
  private readonly upstreamLatency: LatencyHistogram;
  private readonly signatureKinds: Counter<'tenantId' | 'kind'>;
  private readonly shedRequests: Counter<'tenantId' | 'reason'>;

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
    this.breakerRefusals = counter('gateway_breaker_refusals_total', 'Requests that met open breakers only', [
      'tenantId',
    ]);
    this.internalErrors = counter('gateway_internal_errors_total', 'Errors of the gateway itself', ['type']);
    this.streamsClosed = counter(
      'gateway_streams_closed_total',
      'Event streams and WebSockets closed because they would be refused by now',
      ['reason'],
    );
    const latency = (name: string, help: string, label: string): LatencyHistogram =>
      new LatencyHistogram(name, help, ['tenantId', label], registry);
    this.latency = latency('gateway_latency_ms', 'End-to-end latency in milliseconds', 'status');
    this.upstreamLatency = latency(
      'gateway_upstream_latency_ms',
      'Latency of the upstream in milliseconds, until its response was complete',
      'upstream',
    );
    this.signatureKinds = counter('gateway_signatures_total', 'Signatures that were verified or made', [
      'tenantId',
      'kind',
    ]);
    this.shedRequests = counter(
      'gateway_shed_requests_total',
      'Requests for which there was no room, which the upstream never saw',
      ['tenantId', 'reason'],
    );
    this.showLevels(registers);
  }

  /** What rises and falls. */
  private showLevels(registers: Registry[]): void {
    const gauge = (name: string, help: string, value: () => number): void => {
      const collect = (): void => shown.set(value());
      const shown = new Gauge({ name, help, registers, collect });
    };
    gauge('gateway_inflight_requests', 'Requests being handled now', () => this.inflight);
    gauge('gateway_held_body_bytes', 'Request bodies held in memory', () => this.bodies?.held ?? 0);
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

  /** Requests that the rate limit has refused so far, of the tenants that have series of their own. */
  async refusedByTenant(): Promise<Map<string, number>> {
    const { values } = await this.rateLimited.get();
    const own = values.filter(
      ({ labels }) => labels.tenantId !== OTHER_TENANTS && labels.tenantId !== UNKNOWN_TENANT,
    );
    return new Map(own.map(({ labels, value }) => [String(labels.tenantId), value]));
  }

  /** @param reason one of the few of `#libs/load`. */
  shed(tenantId: string | undefined, reason: string): void {
    this.shedRequests.inc({ tenantId: this.series(tenantId).label, reason });
  }

  upstreamError(tenantId: string | undefined): void {
    this.upstreamErrors.inc({ tenantId: this.series(tenantId).label });
  }

  breakerRefusal(tenantId: string | undefined): void {
    this.breakerRefusals.inc({ tenantId: this.series(tenantId).label });
  }

  /** @param bodies those that are held for signatures, retries and mirrors. */
  watchBodies(bodies: { readonly held: number }): void {
    this.bodies = bodies;
  }

  /** @param verified the scheme of the client's signature. @param signed how the request went to the upstream. */
  signatures(
    tenantId: string | undefined,
    verified: 'v1' | 'v2' | undefined,
    signed: 'whole' | 'unsigned_payload' | undefined,
  ): void {
    const label = this.series(tenantId).label;
    if (verified !== undefined) this.signatureKinds.inc({ tenantId: label, kind: `verified_${verified}` });
    if (signed !== undefined) this.signatureKinds.inc({ tenantId: label, kind: `signed_${signed}` });
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
    const series = { requests: this.requests.labels(labels), latency: this.latency.of(labels) };
    tenant.byStatus.set(status, series);
    return series;
  }

  private upstreamSeries(tenant: TenantSeries, upstream: string): LatencySeries {
    const bounded = tenant.label !== OTHER_TENANTS && tenant.byUpstream.size < MAX_UPSTREAMS_PER_TENANT;
    const label = bounded ? upstream : 'other';
    const series =
      tenant.byUpstream.get(label) ?? this.upstreamLatency.of({ tenantId: tenant.label, upstream: label });
    tenant.byUpstream.set(label, series);
    return series;
  }
}
