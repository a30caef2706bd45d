import type { ServerResponse } from 'node:http';
import type { GatewayError } from '#libs/errors';
import type { GatewayRequest } from '#libs/guards';
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
    const { tenant } = context;
    if (!tenant) throw new Error('the Forwarder ran before the guards');
    // The client may have gone while the guards were waiting.
    if (response.destroyed) return;
    const upstream = this.transport.poolFor(tenant);
    upstream.retries.deposit();
    const exchange = new Exchange(context, response, {
      upstream,
      path: tenant.upstream.basePath + context.routedPath + context.query,
      headers: ['Host', tenant.upstream.host, ...context.upstreamHeaders],
      body:
        context.bodyLength === undefined ? undefined : new RequestBody(request, context, this.maxBodyBytes),
      timeouts: this.transport.timeouts(tenant),
      ownHeaders: ['X-Request-Id', context.id, ...this.cors.headers(context)],
      refuse: (error: GatewayError) => this.refuse(error, request, response),
    });
    exchange.start();
  }
}
