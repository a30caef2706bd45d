import type { RequestListener } from 'node:http';
import type { Readiness } from './readiness';

const LIVENESS = '/livez';
const READINESS = '/readyz';
/** Traefik's health check, for load balancers that know no better: up until the shutdown begins, whatever the store does. */
const PING = '/ping';

/** The probes of Kubernetes and `/ping`, on any listener, without credentials: they say nothing but the state. */
export function probes(readiness: Readiness): { claims(url: string): boolean; handle: RequestListener } {
  return {
    claims: (url) => url === LIVENESS || url === READINESS || url === PING,
    handle(request, response) {
      const { healthy, type, body } = stateFor(request.url ?? '', readiness);
      response.writeHead(healthy ? 200 : 503, {
        'Content-Type': type,
        'Content-Length': Buffer.byteLength(body),
        'Cache-Control': 'no-store',
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    },
  };
}

function stateFor(url: string, readiness: Readiness): { healthy: boolean; type: string; body: string } {
  if (url === PING) {
    const healthy = !readiness.draining;
    return { healthy, type: 'text/plain; charset=utf-8', body: healthy ? 'OK' : 'draining' };
  }
  const alive = url === LIVENESS;
  const body = JSON.stringify({ status: alive ? 'alive' : readiness.state });
  return { healthy: alive || readiness.ready, type: 'application/json', body };
}
