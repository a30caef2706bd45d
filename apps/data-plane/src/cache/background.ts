import { ServerResponse } from 'node:http';
import type { Asked } from './question';
import { RequestContext, type GatewayRequest } from '#libs/guards';

/** A request like another one that nobody waits for: it goes to the upstream, and its response to an observer alone. */
export function backgroundRequest(original: GatewayRequest): Asked {
  const { context } = original;
  const own = Object.assign(new RequestContext(performance.now()), context, {
    upstreamHeaders: [...context.upstreamHeaders],
    observer: undefined,
    cache: undefined,
    shaped: undefined,
    signed: undefined,
    target: undefined,
    permit: undefined,
    targetTold: false,
    upstreamStartedAt: undefined,
    upstreamEndedAt: undefined,
    bytesOut: 0,
  });
  if (context.service) own.upstream = undefined;
  const request = Object.create(original, { context: { value: own, writable: true } }) as GatewayRequest;
  return { request, response: new ServerResponse(request) };
}
