import type { ServerResponse } from 'node:http';
import type { GatewayError } from '#libs/errors';
import { GRPC_STATUS_FIELD, grpcStatusOf, messageOf, type RpcCall } from '#libs/grpc';

/**
 * Refuses a call of gRPC: with a head that is all there is (Trailers-Only), or with trailers where the response has begun.
 * Unlike the end of a body, trailers with an error never make look whole what was broken off.
 * @returns false where the response has ended already and can only be torn.
 */
export function refuseCall(call: RpcCall, error: GatewayError, response: ServerResponse): boolean {
  if (response.writableEnded || response.destroyed) return false;
  const status = String(grpcStatusOf(error.status));
  const message = messageOf(`${error.code}: ${error.message}`);
  call.outcome = error.status;
  if (response.headersSent) {
    if (!response.chunkedEncoding) return false;
    response.addTrailers([
      [GRPC_STATUS_FIELD, status],
      ['grpc-message', message],
    ]);
    response.end();
    return true;
  }
  response.writeHead(200, {
    ...error.headers,
    'Content-Type': 'application/grpc',
    'Content-Length': '0',
    [GRPC_STATUS_FIELD]: status,
    'grpc-message': message,
  });
  response.end();
  return true;
}
