import type { ServerResponse } from 'node:http';
import type { RequestContext } from '#libs/guards';

/**
 * The status by which a response that is out counts. Calls of gRPC are answered with 200 whatever has become of them, so
 * theirs is what `grpc-status` says in words of HTTP: metrics, usage, breakers and the access log need know no other.
 */
export function outcomeOf({ rpc, refusal }: RequestContext, { statusCode }: ServerResponse): number {
  if (rpc === undefined) return statusCode;
  if (refusal !== undefined) return refusal.status;
  return statusCode === 200 ? (rpc.outcome ?? statusCode) : statusCode;
}
