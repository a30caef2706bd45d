import { IncomingMessage, type ServerResponse } from 'node:http';
import type { GatewayError } from '#libs/errors';
import type { GatewayRequest, RequestContext } from '#libs/guards';
import type { Cors } from './cors';
import { refuseCall } from './grpc/refuse-call';
import { closeAfterResponse } from './lingering-close';

/** The requests of this plane, which know what ProblemFilter asks of them: their id and trace, and to note a refusal. */
export function refusableRequests(cors: Cors): typeof IncomingMessage {
  return class RefusableRequest extends IncomingMessage {
    declare context: RequestContext;

    override get id(): string {
      return this.context.id;
    }

    get traceId(): string | undefined {
      return this.context.trace?.traceId;
    }

    refusedWith(error: GatewayError, response: ServerResponse): void {
      noteRefusal(this, error, response, cors);
    }

    answerOwn(error: GatewayError, response: ServerResponse): boolean {
      const { rpc } = this.context;
      return rpc !== undefined && refuseCall(rpc, error, response);
    }
  };
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
