import type { ExecutionContext } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Permit } from '#libs/breakers';
import type { GatewayError } from '#libs/errors';
import type { RpcCall } from '#libs/grpc';
import type { Account, ServiceLoad, ShedReason, SlotHolder, Waiter } from '#libs/load';
import type { ClaimVerdict } from '#libs/store';
import type { PublishedRoute } from '#libs/publications';
import type {
  Caller,
  RequestFacts,
  Route,
  ServedMirror,
  ServedService,
  ServedTarget,
  ServedTenant,
  Upstream,
} from '#libs/tenants';
import type { RequestTrace } from '#libs/tracing';
import type { VerifiedToken } from './jwt/verdict';
import type { RequestLimits } from './request-limits';

export type GuardName =
  | 'admission' | 'api_key' | 'route' | 'maintenance' | 'jwt' | 'body_size' | 'signature' | 'concurrency'
  | 'rate_limit' | 'upstream' | 'open_stream'; // prettier-ignore

/** A request as its route or service has changed it, and what they make of the response. */
export interface ShapedMessages extends RequestFacts {
  /** What the upstream is asked for below its base path; empty for its own address. */
  readonly path: string;
  readonly query: string;
  readonly mirror: ServedMirror | undefined;
  /** Changes the headers of the response, flat, in place. */
  apply(headers: string[]): void;
}

/**
 * Everything Gatehouse learns about one request. Each field is written once, by the step named beside it.
 * A class with all fields declared, so that every request has the same hidden class.
 */
export class RequestContext implements SlotHolder {
  // The front door
  /** As in a request line: `HTTP/1.1`. */
  protocol = '';
  /** Undefined unless it is a call of gRPC. */
  rpc: RpcCall | undefined = undefined;
  /** Strict-Transport-Security, flat, where the response is to say it. */
  hsts: readonly string[] = [];

  // Admission
  id = '';
  method = '';
  /** Normal form of the path, without the query. */
  path = '';
  /** From the question mark on, as it came; empty without one. */
  query = '';
  clientAddress = '';
  /** As the client asked, as far as proxies can be believed. */
  scheme: 'http' | 'https' = 'http';
  /** Likewise, with its port if it named one. */
  host = '';
  apiKey: string | undefined = undefined;
  authorization: string | undefined = undefined;
  origin: string | undefined = undefined;
  /** What goes to the upstream, flat: name, value, name, value, … */
  readonly upstreamHeaders: string[] = [];
  /** The same as it came, where the published route makes something else of it; routes are looked up by these. */
  arrivedHeaders: readonly string[] | undefined = undefined;
  /** Undefined without a body; -1 for a chunked one of unknown length. */
  bodyLength: number | undefined = undefined;
  expectsContinue = false;
  upgrade: 'websocket' | undefined = undefined;
  /** What lets operators through during a maintenance. */
  maintenanceBypass: string | undefined = undefined;

  /** The service that a path below `/proxy` names. */
  serviceId: string | undefined = undefined;
  /** The published route that a path elsewhere leads to. */
  published: PublishedRoute | undefined = undefined;
  /** The service that an open stream is with: judged again, it is not sent to another one. */
  staysWith: string | undefined = undefined;
  /**
   * What the upstream is asked for: the path below `/api` or `/proxy/{service}`, which routes are matched against too, or
   * what a published route makes of the path.
   */
  routedPath = '';

  // The guards
  caller: Caller | undefined = undefined;
  tenant: ServedTenant | undefined = undefined;
  service: ServedService | undefined = undefined;
  route: Route | undefined = undefined;
  upstream: Upstream | undefined = undefined;
  token: VerifiedToken | undefined = undefined;
  /** The key that signed the request, and how: `v1` covers the body alone and may be sent again. */
  verifiedSignature: { readonly keyId: string; readonly scheme: 'v1' | 'v2' } | undefined = undefined;
  limits: RequestLimits | undefined = undefined;
  verdict: ClaimVerdict | undefined = undefined;
  /** What it has taken of what may be under way at once, until it is over. */
  slot: Account | Waiter | undefined = undefined;
  serviceSlot: ServiceLoad | undefined = undefined;
  streamPlace: Account | undefined = undefined;
  /** Why there was nothing to be had. */
  shed: ShedReason | undefined = undefined;

  // Bodies that a policy had to have before the request went on, see WholeBodies
  wholeBody: Buffer | undefined = undefined;
  /** What was read of one that is too large to be kept; the rest is still to come. */
  bodyPrefix: Buffer | undefined = undefined;

  // Forwarding
  /** What a route or service makes of the request and its response; undefined where they pass as they are. */
  shaped: ShapedMessages | undefined = undefined;
  /** How the request was signed for the upstream. */
  signed: 'whole' | 'unsigned_payload' | undefined = undefined;
  /** The target that was chosen among those of the service. */
  target: ServedTarget | undefined = undefined;
  /** Of a request that is a probe of a target whose breaker is half-open. */
  permit: Permit | undefined = undefined;
  /** Its target knows how it ended; of several attempts, how the last did. */
  targetTold = false;
  upstreamStartedAt: number | undefined = undefined;
  /** Times it was sent, where that was more than once or a retry policy says how often it may be; else 0. */
  attempts = 0;
  /** When the last of several was. */
  attemptStartedAt: number | undefined = undefined;
  /** Why it was not sent again although it failed. */
  retryWithheld: string | undefined = undefined;
  /** The upstream is being sent a body, and has not got all of it; only of targets that are judged. */
  uploading = false;
  /** When it had all of it. */
  upstreamSentAt: number | undefined = undefined;
  /** When the head of the response had come; only of targets with a breaker, and with a retry policy. */
  upstreamAnsweredAt: number | undefined = undefined;
  upstreamEndedAt: number | undefined = undefined;
  /** The connection is a WebSocket now, and no HTTP response will come. */
  switchedProtocols = false;
  /** The content coding that the gateway has made of the response. */
  coding: string | undefined = undefined;
  /** A copy of the request has been made for a mirror. */
  mirrored = false;
  /** What the response cache made of the request; undefined where there is no cache policy. */
  cache: string | undefined = undefined;
  /** Answered by the response cache in the place of the upstream. */
  fromStore = false;
  /** Looks on while the response passes. */
  observer: object | undefined = undefined;
  bytesIn = 0;
  bytesOut = 0;

  // The outcome
  /** Nobody waits for an answer any more: nothing may be taken on its behalf. */
  over = false;
  /** Its usage has been recorded. */
  accounted = false;
  /** The step that is judging now; after a refusal, the one that refused. */
  judge: GuardName = 'admission';
  refusal: GatewayError | undefined = undefined;

  /** The trace that it belongs to; undefined where tracing is off. */
  trace: RequestTrace | undefined = undefined;

  /** @param startedAt monotonic milliseconds (`performance.now()`). */
  constructor(readonly startedAt: number) {}

  /**
   * The call of gRPC that it is, where its upstream speaks HTTP/2 and can be called at all: what clients say of themselves
   * changes no time-out of others.
   */
  get call(): RpcCall | undefined {
    return this.upstream?.http2 === undefined ? undefined : this.rpc;
  }

  /** A step of the request path begins. */
  enter(step: GuardName): void {
    this.judge = step;
    if (this.trace !== undefined) this.trace.enter(step);
  }

  /** The same request as it came from admission, to be judged once more without touching this one. */
  again(): RequestContext {
    const { arrivedHeaders, upstreamHeaders, service } = this;
    return Object.assign(new RequestContext(this.startedAt), this, UNJUDGED, {
      upstreamHeaders: [...(arrivedHeaders ?? upstreamHeaders)],
      staysWith: service?.id,
    });
  }
}

/** What the guards find out. */
const UNJUDGED = {
  caller: undefined,
  tenant: undefined,
  service: undefined,
  route: undefined,
  upstream: undefined,
  token: undefined,
  limits: undefined,
  verdict: undefined,
  refusal: undefined,
  trace: undefined,
} satisfies Partial<RequestContext>;

/** A request on its way through the data plane. */
export interface GatewayRequest extends IncomingMessage {
  context: RequestContext;
}

/** The request that a guard judges. Not by `switchToHttp()`, which makes three closures at every call. */
export function requestOf(execution: ExecutionContext): GatewayRequest {
  return execution.getArgByIndex<GatewayRequest>(0);
}
