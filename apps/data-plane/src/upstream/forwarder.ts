import type { ServerResponse } from 'node:http';
import type { TimeoutConfig } from '#libs/config';
import { GatewayError } from '#libs/errors';
import {
  limitHeaders,
  maxBodyOf,
  retryPolicyOf,
  shapeRequest,
  type GatewayRequest,
  type RequestContext,
} from '#libs/guards';
import type { FairBytes } from '#libs/load';
import type { ServedRetries, ServedTarget } from '#libs/tenants';
import type { Accounting } from '../accounting';
import type { Cors } from '../cors';
import type { Load } from '../load';
import { outcomeOf } from '../grpc/outcome';
import { RpcExchange, timeoutsOfCall } from '../grpc/rpc-exchange';
import { tellTarget } from '../release-target';
import type { Compression } from '../shaping/compression';
import type { Mirrors } from '../shaping/mirrors';
import type { OpenStreams } from '../streams/open-streams';
import { aimAgain, aimAt, targetsOf } from './aim';
import { Attempts } from './attempts';
import type { Outgoing } from './dispatch';
import { Exchange } from './exchange';
import type { ExchangeTerms } from './exchange-terms';
import { KeptBody, WholeBody, type RepeatableBody } from './kept-body';
import { targetAt } from './target-at';
import { signingPolicy, type OutgoingSignatures } from './outgoing-signatures';
import { addPassage } from './passage';
import { createProxy, type Proxy } from './proxy';
import { RequestBody } from './request-body';
import { RetryBudgets } from './retry-budgets';
import type { RetryObservation } from './retry-observation';
import type { ResponseObserver } from './response-observer';
import { traced } from '../tracing/traced';
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
  readonly compression: Compression;
  readonly mirrors: Mirrors;
  readonly signatures: OutgoingSignatures;
  readonly load: Load;
  /** 0 means unlimited. */
  readonly maxBodyBytes: number;
  /** For bodies that are kept to be sent again. */
  readonly keptBodies: FairBytes;
  readonly refuse: Refuse;
}

/** The last step of the request path: the judged request goes to its upstream, the response comes back. */
export class Forwarder {
  private readonly proxy: Proxy;
  private readonly webSockets: WebSocketRelay;
  private readonly budgets = new RetryBudgets();

  constructor(private readonly house: Surroundings) {
    const { transport, refuse, streams, retries, signatures, load } = house;
    const { budgets } = this;
    this.proxy = createProxy((request, response) => this.exchange(request, response));
    this.webSockets = new WebSocketRelay(this.proxy, transport, refuse, streams, {
      budgets,
      retries,
      signatures,
      readers: load.readers,
    });
  }

  /** A promise only where a breaker is not closed. @throws GatewayError circuit_open, also as a rejection */
  forward(request: GatewayRequest, response: ServerResponse): void | Promise<void> {
    // The client may have gone while the guards were waiting, and nobody would let go of the target again.
    if (hasGone(request, response)) return;
    const policy = signingPolicy(request.context);
    const kept = policy && this.house.signatures.keepBody(request, response, policy);
    return kept ? kept.then(() => this.enter(request, response)) : this.enter(request, response);
  }

  /** Chooses the target, by what is known at this moment. */
  private enter(request: GatewayRequest, response: ServerResponse): void | Promise<void> {
    if (hasGone(request, response)) return;
    const { context } = request;
    const entered = targetsOf(context)?.enter();
    if (!(entered instanceof Promise)) return this.send(request, response, entered);
    return entered.then(({ target, permit }) => {
      if (hasGone(request, response)) return permit?.settle('void');
      context.permit = permit;
      this.send(request, response, target);
    });
  }

  private send(request: GatewayRequest, response: ServerResponse, target: ServedTarget | undefined): void {
    const { context } = request;
    prepare(context, target);
    if (context.upgrade) this.upgrade(request, response);
    else this.proxy.web(request, response);
  }

  /** @throws GatewayError upgrade_not_supported: WebSockets over HTTP/2 (RFC 8441) are not offered. */
  private upgrade(request: GatewayRequest, response: ServerResponse): void {
    if (request.context.upstream?.http2 !== undefined) throw new GatewayError('upgrade_not_supported');
    this.webSockets.relay(request, response);
  }

  private exchange(request: GatewayRequest, response: ServerResponse): void {
    const { context } = request;
    const { tenant, service, shaped } = context;
    const { transport, cors, accounting, streams, retries, load, compression, mirrors } = this.house;
    if (!tenant) throw new Error('the Forwarder ran before the guards');
    const { call } = context;
    const own = transport.timeouts(service?.timeouts ?? tenant.timeouts);
    const timeouts = call === undefined ? own : timeoutsOfCall(own, call);
    if (call?.timeoutMs !== undefined) call.hurries = call.timeoutMs < own.firstByteMs;
    // Before the headers leave, some of which it changes.
    const encode = compression.of(context, request);
    const outgoing = this.outgoing(context, timeouts);
    const policy = retryPolicyOf(context);
    const terms: ExchangeTerms = {
      outgoing,
      body: policy ? undefined : this.bodyOf(request),
      readers: load.readers,
      timeouts,
      retries,
      changes: shaped,
      encode,
      ownHeaders: ['X-Request-Id', context.id, ...cors.headers(context), ...context.hsts],
      levels: levels(context),
      observer: context.observer as ResponseObserver | undefined,
      refuse: (error: GatewayError) => this.house.refuse(error, request, response),
      delivered: () => accounting.delivered(context, outcomeOf(context, response)),
      streaming: () => {
        tellTarget(context, response.statusCode);
        streams.follow({ context, ending: response, end: (refusal) => exchange.breakOff(refusal) });
      },
    };
    const exchange =
      call === undefined
        ? new Exchange(context, response, terms)
        : new RpcExchange(context, response, terms, call);
    const attempts = policy && this.attempts(exchange, request, policy, timeouts);
    // Once, however many attempts there are.
    if (shaped?.mirror) mirrors.copy(context, shaped, shaped.mirror, request);
    if (attempts) attempts.start(outgoing);
    else exchange.start();
  }

  /** The request as it goes to the upstream that has been chosen; again for every attempt at another one. */
  private outgoing(context: RequestContext, timeouts: TimeoutConfig): Outgoing {
    const { upstream: target } = context;
    if (!target) throw new Error('the Forwarder ran before the guards');
    const path = targetAt(context, target);
    return {
      upstream: this.house.transport.poolFor(target, timeouts),
      path,
      headers: ['Host', target.host, ...context.upstreamHeaders],
      sign: traced(context, this.house.signatures.forAttempts(context, target.host, path)),
    };
  }

  private attempts(
    exchange: Exchange,
    request: GatewayRequest,
    policy: ServedRetries,
    timeouts: TimeoutConfig,
  ): Attempts {
    const { context } = request;
    return new Attempts(exchange, context, {
      policy,
      budget: this.budgets.of(context),
      timeouts,
      body: this.repeatableBody(request, policy),
      observation: this.house.retries,
      again: (tried) => (aimAgain(context, tried) ? this.outgoing(context, timeouts) : undefined),
    });
  }

  private repeatableBody(request: GatewayRequest, policy: ServedRetries): RepeatableBody | undefined {
    const { context } = request;
    if (context.bodyLength === undefined) return undefined;
    if (context.wholeBody !== undefined) return new WholeBody(context.wholeBody);
    const { maxBodyBytes, keptBodies, load } = this.house;
    const bounds = { bodyBytes: maxBodyOf(context, maxBodyBytes), keptBytes: policy.bodyBytes };
    return new KeptBody(request, context, bounds, keptBodies, load.bodies);
  }

  /** What goes out as the body: as it comes, or as it is there already. */
  private bodyOf(request: GatewayRequest): RequestBody | Buffer | undefined {
    const { context } = request;
    if (context.bodyLength === undefined) return undefined;
    if (context.wholeBody !== undefined) return context.wholeBody;
    const { maxBodyBytes, load } = this.house;
    const body = new RequestBody(request, context, maxBodyOf(context, maxBodyBytes), load.bodies);
    if (context.bodyPrefix !== undefined) body.unshift(context.bodyPrefix);
    return body;
  }
}

function hasGone({ context, socket }: GatewayRequest, response: ServerResponse): boolean {
  return context.upgrade ? socket.destroyed : response.destroyed;
}

/**
 * Makes the request what a published route says.
 * @param target chosen only now, by what is known at this moment; undefined for an upstream that nobody watches.
 */
function prepare(context: RequestContext, target: ServedTarget | undefined): void {
  const { published, upstreamHeaders } = context;
  if (target) aimAt(context, target);
  shapeRequest(context);
  if (!published) return;
  if (published.stripped !== '') upstreamHeaders.push('X-Forwarded-Prefix', published.stripped);
  addPassage(context, published);
}

/** Where the caller's limits stand. */
export function levels({ limits, verdict }: RequestContext): readonly string[] {
  return limits && verdict ? limitHeaders(limits, verdict, Date.now()) : [];
}
