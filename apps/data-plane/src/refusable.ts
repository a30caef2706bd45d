import type { ServerResponse } from 'node:http';
import type { GatewayError } from '#libs/errors';
import type { GatewayRequest } from '#libs/guards';
import type { Cors } from './cors';
import { closeAfterResponse } from './lingering-close';

/**
 * Teaches this plane's requests what ProblemFilter asks of them: their id and trace, and to note a refusal.
 * On the prototype of Express's requests, because a property per request would cost a hidden-class change each.
 */
export function describeRequest(app: { request: object }, cors: Cors): void {
  Object.defineProperties(app.request, {
    id: {
      get(this: GatewayRequest) {
        return this.context.id;
      },
    },
    traceId: {
      get(this: GatewayRequest) {
        return this.context.trace?.traceId;
      },
    },
    refusedWith: {
      value(this: GatewayRequest, error: GatewayError, response: ServerResponse) {
        noteRefusal(this, error, response, cors);
      },
    },
  });
}

function noteRefusal(
  request: GatewayRequest,
  error: GatewayError,
  response: ServerResponse,
  cors: Cors,
): void {
  const { context } = request;
  context.refusal ??= error;
  // Where the refusing guard ends.
  context.trace?.enter('answer');
  if (response.headersSent) return;
  response.setHeader('X-Request-Id', context.id);
  // The admission may have refused before it had come to this header.
  context.origin ??= request.headers.origin;
  const headers = cors.headers(context);
  for (let i = 0; i < headers.length; i += 2)
    response.setHeader(headers[i] as string, headers[i + 1] as string);
  if (context.hsts.length > 0) response.setHeader(context.hsts[0] as string, context.hsts[1] as string);
  // An unread body would be taken for the next request.
  if (context.bodyLength !== undefined && !request.complete) closeAfterResponse(request, response);
}
