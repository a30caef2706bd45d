import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AuditLog } from '#libs/audit';
import type { ProxyTrust } from '#libs/guards';
import type { Logging } from '#libs/logging';
import type { ControlMetrics } from '#libs/metrics';
import { auditEvent } from './audit-event';
import { clientAddressOf, type ControlRequest } from './control-request';

const REQUEST_ID = /^[A-Za-z0-9._:/+=-]{1,128}$/;
/** Path parameters are what a client typed; ids are at most 64 characters. */
const MAX_LOGGED_ID = 64;

/**
 * Metrics, the admin log and the audit log of a request, exactly once for every outcome. They hang on the end of the response, not
 * on an interceptor: a refused request never reaches one.
 */
export function observe(
  metrics: ControlMetrics,
  logging: Logging,
  proxies: ProxyTrust,
  audit: Pick<AuditLog, 'append'>,
): RequestHandler {
  return (incoming: Request, response: Response, next: NextFunction) => {
    const startedAt = performance.now();
    const request = begin(incoming, response);
    const ip = (request.clientAddress = clientAddressOf(request, proxies));
    response.on('close', () => {
      const durationMs = performance.now() - startedAt;
      const endpoint = endpointOf(request);
      const outcome = outcomeOf(request, response);
      const event = request.isAudited ? undefined : auditEvent(request, response, outcome.status);
      if (event) audit.append(event);
      request.isAudited = true;
      metrics.finished(endpoint, outcome.status, durationMs);
      if (request.action !== undefined && outcome.status < 400) metrics.mutation(request.action);
      logging.logger[levelOf(request, outcome.status)](
        {
          category: 'admin',
          requestId: request.id,
          action: request.action ?? endpoint,
          tenantId: request.tenantId?.slice(0, MAX_LOGGED_ID),
          actor: request.actor,
          decision: outcome.decision,
          status: outcome.status,
          durationMs: Math.round(durationMs * 100) / 100,
          ip,
        },
        'admin',
      );
    });
    next();
  };
}

function begin(incoming: Request, response: Response): ControlRequest {
  const request = incoming as ControlRequest;
  const given = request.headers['x-request-id'];
  request.id = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
  request.refusedWith = (error) => void (request.refusal ??= error);
  response.setHeader('X-Request-Id', request.id);
  return request;
}

/** Method and route pattern; never a path, which would make a series of every id. */
function endpointOf(request: ControlRequest): string {
  const route = request.route as { path: string } | undefined;
  return route === undefined ? 'unmatched' : `${request.method} ${route.path}`;
}

function outcomeOf(request: ControlRequest, response: Response): { status: number; decision: string } {
  // Closed with nothing sent: the client did not wait, and what it asked for may still be done.
  if (!response.writableEnded) return { status: 499, decision: 'client_gone' };
  return { status: response.statusCode, decision: request.refusal?.code ?? 'allow' };
}

/** Probes and documentation pages come by the thousand and nobody acts in them. */
function levelOf(request: ControlRequest, status: number): 'debug' | 'info' | 'warn' | 'error' {
  if (status >= 500) return request.refusal?.code === 'not_ready' ? 'debug' : 'error';
  if (status >= 400) return 'warn';
  return request.actor === undefined ? 'debug' : 'info';
}
