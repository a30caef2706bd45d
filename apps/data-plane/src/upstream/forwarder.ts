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
    if (request.context.upgrade) this.webSockets.relay(request, response);
    else this.proxy.web(request, response);
  }

  private exchange(request: GatewayRequest, response: ServerResponse): void {
    const { context } = request;
    const { tenant, service, upstream: target } = context;
    if (!tenant || !target) throw new Error('the Forwarder ran before the guards');
    // The client may have gone while the guards were waiting.
    if (response.destroyed) return;
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
      ownHeaders: ['X-Request-Id', context.id, ...this.cors.headers(context), ...context.hsts],
      levels: levels(context),
      refuse: (error: GatewayError) => this.refuse(error, request, response),
      delivered: () => this.accounting.delivered(context, response.statusCode),
    });
    exchange.start();
  }
}

/** Where the caller's limits stand. */
function levels({ limits, verdict }: RequestContext): readonly string[] {
  return limits && verdict ? limitHeaders(limits, verdict, Date.now()) : [];
}
