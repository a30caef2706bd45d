import type { ServerResponse } from 'node:http';
import type { GatewayError } from '#libs/errors';
import { limitHeaders, type GatewayRequest, type RequestContext } from '#libs/guards';
import { pathAt } from '#libs/tenants';
import type { Accounting } from '../accounting';
import type { Cors } from '../cors';
import type { OpenStreams } from '../streams/open-streams';
import { Exchange } from './exchange';
import { createProxy, type Proxy } from './proxy';
import { RequestBody } from './request-body';
import type { ResponseObserver } from './response-observer';
import type { Transport } from './transport';
import type { Refuse } from './upstream-errors';
import { WebSocketRelay } from './websocket-relay';

/** What forwarding needs from the rest of the data plane. */
interface Surroundings {
  readonly transport: Transport;
  readonly cors: Cors;
  readonly accounting: Accounting;
  readonly streams: OpenStreams;
  /** 0 means unlimited. */
  readonly maxBodyBytes: number;
  readonly refuse: Refuse;
}

/** The last step of the request path: the judged request goes to its upstream, the response comes back. */
export class Forwarder {
  private readonly proxy: Proxy;
  private readonly webSockets: WebSocketRelay;

  constructor(private readonly house: Surroundings) {
    const { transport, refuse, streams } = house;
    this.proxy = createProxy((request, response) => this.exchange(request, response));
    this.webSockets = new WebSocketRelay(this.proxy, transport, refuse, streams);
  }

  forward(request: GatewayRequest, response: ServerResponse): void {
    const { context, socket } = request;
    // The client may have gone while the guards were waiting, and nobody would let go of the target again.
    if (context.upgrade ? socket.destroyed : response.destroyed) return;
    prepare(context);
    if (context.upgrade) this.webSockets.relay(request, response);
    else this.proxy.web(request, response);
  }

  private exchange(request: GatewayRequest, response: ServerResponse): void {
    const { context } = request;
    const { tenant, service, upstream: target } = context;
    const { transport, cors, accounting, streams, maxBodyBytes } = this.house;
    if (!tenant || !target) throw new Error('the Forwarder ran before the guards');
    const timeouts = transport.timeouts(service?.timeouts ?? tenant.timeouts);
    const upstream = transport.poolFor(target, timeouts);
    upstream.retries.deposit();
    const exchange = new Exchange(context, response, {
      upstream,
      path: pathAt(target, context.routedPath) + context.query,
      headers: ['Host', target.host, ...context.upstreamHeaders],
      body: context.bodyLength === undefined ? undefined : new RequestBody(request, context, maxBodyBytes),
      timeouts,
      changes: context.published?.responseHeaders,
      ownHeaders: ['X-Request-Id', context.id, ...cors.headers(context), ...context.hsts],
      levels: levels(context),
      observer: context.observer as ResponseObserver | undefined,
      refuse: (error: GatewayError) => this.house.refuse(error, request, response),
      delivered: () => accounting.delivered(context, response.statusCode),
      streaming: () =>
        streams.follow({ context, ending: response, end: (refusal) => exchange.breakOff(refusal) }),
    });
    exchange.start();
  }
}

/** Chooses the target only now, by what is known at this moment, and makes the request what a published route says. */
function prepare(context: RequestContext): void {
  const { service, published, upstreamHeaders } = context;
  if (service) {
    const target = service.next();
    // Until the request is over, see Observation.
    target.pending += 1;
    context.target = target;
    context.upstream = target.upstream;
  }
  if (!published) return;
  published.requestHeaders?.apply(upstreamHeaders);
  if (published.stripped !== '') upstreamHeaders.push('X-Forwarded-Prefix', published.stripped);
}

/** Where the caller's limits stand. */
export function levels({ limits, verdict }: RequestContext): readonly string[] {
  return limits && verdict ? limitHeaders(limits, verdict, Date.now()) : [];
}
