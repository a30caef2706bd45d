import type { RequestListener } from 'node:http';
import { GatewayError, PROBLEM_CONTENT_TYPE, problemOf } from '#libs/errors';
import { carriesAdminToken } from '#libs/lifecycle';
import { METRICS_CONTENT_TYPE, renderForAllWorkers, type MetricsRegistry } from '#libs/metrics';

/**
 * `GET /metrics` of a data plane that runs by itself, whose figures exist nowhere else; and where they are for everybody.
 * @param open no token is asked for
 */
export function metricsEndpoint(
  metrics: MetricsRegistry,
  adminToken: string | undefined,
  open = false,
): { claims(url: string): boolean; handle: RequestListener } {
  return {
    claims: (url) => /^\/metrics(?:\?|$)/.test(url),
    handle(request, response) {
      // prettier-ignore
      const refusal =
        open ? undefined
        : adminToken === undefined ? new GatewayError('admin_not_configured')
        : !carriesAdminToken(request.headers, adminToken) ? new GatewayError('admin_unauthorized')
        : undefined;
      if (refusal) {
        response.writeHead(refusal.status, { 'Content-Type': PROBLEM_CONTENT_TYPE });
        response.end(JSON.stringify(problemOf(refusal)));
        return;
      }
      renderForAllWorkers(metrics.registry).then(
        (text) => response.writeHead(200, { 'Content-Type': METRICS_CONTENT_TYPE }).end(text),
        () => response.writeHead(503).end(),
      );
    },
  };
}
