import type { ServerResponse } from 'node:http';
import type { GatewayError } from '#libs/errors';
import { limitHeaders, type GatewayRequest, type RequestContext } from '#libs/guards';
import type { Accounting } from '../accounting';
import type { Cors } from '../cors';
import { Exchange } from './exchange';
import { createProxy, type Proxy } from './proxy';
import { RequestBody } from './request-body';
import type { Transport } from './transport';
import type { Refuse } from './upstream-errors';
import { WebSocketRelay } from './websocket-relay';

/** The last step of the request path: the judged request goes to its upstream, the response comes back. */
export class Forwarder {
  private readonly proxy: Proxy;
  private readonly webSockets: WebSocketRelay;

  /** @param maxBodyBytes 0 means unlimited. */
  constructor(
    private readonly transport: Transport,
    private readonly cors: Cors,
    private readonly accounting: Accounting,
    private readonly maxBodyBytes: number,
    private readonly refuse: Refuse,
  ) {
    this.proxy = createProxy((request, response) => this.exchange(request, response));
    this.webSockets = new WebSocketRelay(this.proxy, transport, refuse);
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
    if (!tenant || !target) throw new Error('the Forwarder ran before the guards');
    const timeouts = this.transport.timeouts(service?.timeouts ?? tenant.timeouts);
    const upstream = this.transport.poolFor(target, timeouts);
    upstream.retries.deposit();
    const exchange = new Exchange(context, response, {
      upstream,
      path: (target.basePath + context.routedPath || '/') + context.query,
      headers: ['Host', target.host, ...context.upstreamHeaders],
      body:
        context.bodyLength === undefined ? undefined : new RequestBody(request, context, this.maxBodyBytes),
      timeouts,
      changes: context.published?.responseHeaders,
      ownHeaders: ['X-Request-Id', context.id, ...this.cors.headers(context)],
      levels: levels(context),
      refuse: (error: GatewayError) => this.refuse(error, request, response),
      delivered: () => this.accounting.delivered(context, response.statusCode),
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
function levels({ limits, verdict }: RequestContext): readonly string[] {
  return limits && verdict ? limitHeaders(limits, verdict, Date.now()) : [];
}
