import type { RequestListener } from 'node:http';
import type { Readiness } from './readiness';

const LIVENESS = '/livez';
const READINESS = '/readyz';

/** The probes of Kubernetes, on any listener, without credentials: they say nothing but the state. */
export function probes(readiness: Readiness): { claims(url: string): boolean; handle: RequestListener } {
  return {
    claims: (url) => url === LIVENESS || url === READINESS,
    handle(request, response) {
      const healthy = request.url === LIVENESS || readiness.ready;
      const body = JSON.stringify({ status: request.url === LIVENESS ? 'alive' : readiness.state });
      response.writeHead(healthy ? 200 : 503, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        'Cache-Control': 'no-store',
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    },
  };
}
