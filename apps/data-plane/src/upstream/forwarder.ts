import type { ServerResponse } from 'node:http';
import type { TimeoutConfig } from '#libs/config';
import type { GatewayError } from '#libs/errors';
import { limitHeaders, retryPolicyOf, type GatewayRequest, type RequestContext } from '#libs/guards';
import { pathAt, type ServedRetries } from '#libs/tenants';
import type { Accounting } from '../accounting';
import type { Cors } from '../cors';
import type { OpenStreams } from '../streams/open-streams';
import { aim } from './aim';
import { Attempts } from './attempts';
import type { Outgoing } from './dispatch';
import { Exchange } from './exchange';
import { KeptBody, KeptBytes } from './kept-body';
import { createProxy, type Proxy } from './proxy';
import { RequestBody } from './request-body';
import { RetryBudgets } from './retry-budgets';
import type { RetryObservation } from './retry-observation';
import type { Transport } from './transport';
import type { Refuse } from './upstream-errors';
import { WebSocketRelay } from './websocket-relay';

/** What forwarding needs from the rest of the data plane. */
interface Surroundings {
  readonly transport: Transport;
  readonly cors: Cors;
  readonly accounting: Accounting;
  readonly streams: OpenStreams;
  readonly retries: RetryObservation;
  /** 0 means unlimited. */
  readonly maxBodyBytes: number;
  /** What all bodies that are kept for retries may take together. */
  readonly keptBodiesBytes: number;
  readonly refuse: Refuse;
}

/** The last step of the request path: the judged request goes to its upstream, the response comes back. */
export class Forwarder {
  private readonly proxy: Proxy;
  private readonly webSockets: WebSocketRelay;
  private readonly budgets = new RetryBudgets();
  private readonly keptBytes: KeptBytes;

  constructor(private readonly house: Surroundings) {
    const { transport, refuse, streams } = house;
    this.keptBytes = new KeptBytes(house.keptBodiesBytes);
    this.proxy = createProxy((request, response) => this.exchange(request, response));
    const failover = { budgets: this.budgets, observation: house.retries };
    this.webSockets = new WebSocketRelay(this.proxy, transport, refuse, streams, failover);
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
    const { tenant, service } = context;
    const { transport, cors, accounting, streams, retries, maxBodyBytes } = this.house;
    if (!tenant) throw new Error('the Forwarder ran before the guards');
    const timeouts = transport.timeouts(service?.timeouts ?? tenant.timeouts);
    const outgoing = this.outgoing(context, timeouts);
    const policy = retryPolicyOf(context);
    const plain = context.bodyLength !== undefined && policy === undefined;
    const exchange = new Exchange(context, response, {
      outgoing,
      body: plain ? new RequestBody(request, context, maxBodyBytes) : undefined,
      timeouts,
      retries,
      changes: context.published?.responseHeaders,
      ownHeaders: ['X-Request-Id', context.id, ...cors.headers(context), ...context.hsts],
      levels: levels(context),
      refuse: (error: GatewayError) => this.house.refuse(error, request, response),
      delivered: () => accounting.delivered(context, response.statusCode),
      streaming: () =>
        streams.follow({ context, ending: response, end: (refusal) => exchange.breakOff(refusal) }),
    });
    if (policy) this.attempts(exchange, request, policy, timeouts).start(outgoing);
    else exchange.start();
  }

  /** The request as it goes to the upstream that has been chosen; again for every attempt at another one. */
  private outgoing(context: RequestContext, timeouts: TimeoutConfig): Outgoing {
    const { upstream: target } = context;
    if (!target) throw new Error('the Forwarder ran before the guards');
    return {
      upstream: this.house.transport.poolFor(target, timeouts),
      path: pathAt(target, context.routedPath) + context.query,
      headers: ['Host', target.host, ...context.upstreamHeaders],
    };
  }

  private attempts(
    exchange: Exchange,
    request: GatewayRequest,
    policy: ServedRetries,
    timeouts: TimeoutConfig,
  ): Attempts {
    const { context } = request;
    const bounds = { bodyBytes: this.house.maxBodyBytes, keptBytes: policy.bodyBytes };
    const bodied = context.bodyLength !== undefined;
    return new Attempts(exchange, context, {
      policy,
      budget: this.budgets.of(context),
      timeouts,
      body: bodied ? new KeptBody(request, context, bounds, this.keptBytes) : undefined,
      observation: this.house.retries,
      again: (tried) => {
        aim(context, tried);
        return this.outgoing(context, timeouts);
      },
    });
  }
}

/** Chooses the target only now, by what is known at this moment, and makes the request what a published route says. */
function prepare(context: RequestContext): void {
  const { published, upstreamHeaders } = context;
  aim(context);
  if (!published) return;
  published.requestHeaders?.apply(upstreamHeaders);
  if (published.stripped !== '') upstreamHeaders.push('X-Forwarded-Prefix', published.stripped);
}

/** Where the caller's limits stand. */
function levels({ limits, verdict }: RequestContext): readonly string[] {
  return limits && verdict ? limitHeaders(limits, verdict, Date.now()) : [];
}
