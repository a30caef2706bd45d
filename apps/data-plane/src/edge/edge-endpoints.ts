import cluster from 'node:cluster';
import type { RequestListener, ServerResponse } from 'node:http';
import type { GatewayConfig } from '#libs/config';
import type { Readiness } from '#libs/lifecycle';
import { edgeFiguresIn, renderForAllWorkers, type EdgeFigures, type MetricsRegistry } from '#libs/metrics';
import type { EdgeStats } from './edge-stats';

interface EdgeResources {
  readonly config: GatewayConfig;
  readonly readiness: Readiness;
  readonly metrics: MetricsRegistry;
  /** Of a regional edge only. */
  readonly edge: EdgeStats | undefined;
}

/** The documented name of the regional edge. */
const EDGE_SERVICE = 'flexmon-gateway';

/** `/health`, and `/stats` of a regional edge, without credentials: what gateways of these profiles are documented with. */
export function edgeEndpoints(resources: EdgeResources): {
  claims(url: string): boolean;
  handle: RequestListener;
} {
  const { config, readiness, metrics, edge } = resources;
  const { regionalEdge, backendServices } = config.profiles;
  const offered = regionalEdge
    ? /^\/(?:health|stats)(?:\?|$)/
    : backendServices
      ? /^\/health(?:\?|$)/
      : undefined;
  return {
    claims: (url) => offered?.test(url) ?? false,
    handle(request, response) {
      const reply = (status: number, body: object): void => answer(response, request.method, status, body);
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('Allow', 'GET, HEAD');
        return reply(405, { status: 'method not allowed' });
      }
      if (!edge || !request.url?.startsWith('/stats'))
        return reply(readiness.draining ? 503 : 200, health(resources));
      figuresOf(edge, metrics).then(
        (figures) => reply(200, statistics(figures, regionalEdge?.region ?? '')),
        () => reply(503, { status: 'unavailable' }),
      );
    },
  };
}

/** Well as long as it is not on its way out: whether the central API can be reached is said by what is forwarded. */
function health({ config, readiness }: EdgeResources): object {
  const { regionalEdge } = config.profiles;
  const status = readiness.draining ? 'draining' : 'healthy';
  if (!regionalEdge) return { status, service: 'gatehouse' };
  return {
    status,
    service: EDGE_SERVICE,
    region: regionalEdge.region,
    central_api: regionalEdge.centralApiUrl,
    hmac_enabled: regionalEdge.hmacSecret !== undefined,
    ip_allowlist_enabled: config.ipAllowlist !== undefined,
  };
}

function statistics(figures: EdgeFigures, region: string): object {
  return {
    total_requests: figures.total,
    forwarded: figures.forwarded,
    rate_limited: figures.rateLimited,
    blocked: figures.blocked,
    active_clients: figures.activeClients,
    region,
  };
}

/** Of all workers on this machine together. */
async function figuresOf(edge: EdgeStats, { registry }: MetricsRegistry): Promise<EdgeFigures> {
  return cluster.isWorker ? edgeFiguresIn(await renderForAllWorkers(registry)) : edge.figures;
}

function answer(response: ServerResponse, method: string | undefined, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
  });
  response.end(method === 'HEAD' ? undefined : text);
}
