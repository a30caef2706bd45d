import { ServerResponse } from 'node:http';
import type { Asked } from './question';
import { RequestContext, type GatewayRequest } from '#libs/guards';

/** A request like another one that nobody waits for: it goes to the upstream, and its response to an observer alone. */
export function backgroundRequest(original: GatewayRequest): Asked {
  const { context } = original;
  const own = Object.assign(new RequestContext(performance.now()), context, {
    // What is stored is whole, whoever asked for a part of it or for its head.
    method: 'GET',
    upstreamHeaders: withoutRange(context.upstreamHeaders),
    observer: undefined,
    trace: context.trace?.behind(),
    cache: undefined,
    shaped: undefined,
    signed: undefined,
    target: undefined,
    permit: undefined,
    targetTold: false,
    upstreamStartedAt: undefined,
    upstreamEndedAt: undefined,
    bytesOut: 0,
    // Whoever was answered from the store is counted; this one is the gateway's own.
    accounted: true,
  });
  if (context.service) own.upstream = undefined;
  const request = Object.create(original, { context: { value: own, writable: true } }) as GatewayRequest;
  return { request, response: new ServerResponse(request) };
}

function withoutRange(headers: readonly string[]): string[] {
  return headers.filter((_, i) => !/^(?:range|if-range)$/i.test(headers[i - (i % 2)] as string));
}
