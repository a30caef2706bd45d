import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { GatewayError, type ProblemFilter } from '#libs/errors';
import type { RpcCall } from '#libs/grpc';
import {
  Admission,
  ProxyTrust,
  RequestContext,
  arrivalOf,
  type Arrival,
  type ArrivingRequest,
  type GatewayRequest,
  type Peer,
} from '#libs/guards';
import type { Cors } from './cors';
import { outcomeOf } from './grpc/outcome';
import { closeAfterResponse } from './lingering-close';
import type { HttpsPolicy } from './https-policy';
import type { PaceWatch } from '#libs/load';
import type { Tracing } from '#libs/tracing';
import { paceBody } from './neighbour-pace';
import type { Observation } from './observation';
import type { RequestPath } from './request-path';

/** Somebody else on the same port, asked first: the control plane when both planes share one. */
export interface Neighbour {
  claims(url: string): boolean;
  handle: RequestListener;
}

/** What the front door needs from the rest of the data plane. */
interface Household {
  readonly admission: Admission;
  readonly proxies: ProxyTrust;
  readonly cors: Cors;
  readonly https: HttpsPolicy;
  readonly observation: Observation;
  /** Undefined: off. */
  readonly tracing: Tracing | undefined;
  readonly filter: ProblemFilter;
  /** Guards and controller. */
  readonly path: RequestPath;
  readonly neighbour: Neighbour;
  /** Sees that request bodies get on. */
  readonly bodies: PaceWatch;
  /** Once true, responses ask their clients to reconnect elsewhere. */
  readonly draining: () => boolean;
}

/** A connection that speaks something else than what the parser sees (http2/). */
interface Speaking extends Socket {
  protocol?: string;
  rpc?: RpcCall;
}

/** Connections on which a request was refused at the door; nothing that follows on them can be believed. */
const condemned = new WeakSet<Socket>();

/** The peer of a connection, worked out once per connection. */
const peers = new WeakMap<Socket, Peer>();

/** What a connection had carried, in bytes, before it became another: the requests before that have had theirs counted. */
const carried = new WeakMap<Socket, { readonly read: number; readonly written: number }>();

/** Where requests and upgrades enter: observed from the first moment, admitted or refused, then sent on its path. */
export class FrontDoor {
  /** Connections that asked for an upgrade; the server forgets them, so shutdown must not. */
  private readonly upgrades = new Set<Duplex>();

  constructor(private readonly house: Household) {}

  readonly request: RequestListener = (request, response) => {
    // Perhaps it is only the body of what was refused; the connection closes with the refusal.
    if (condemned.has(request.socket)) return;
    // Node may still read behind the last response of a connection (lingering-close.ts).
    if (request.socket.writableEnded) return;
    if (this.isForNeighbour(request, response)) {
      paceBody(request, this.house.bodies);
      this.house.neighbour.handle(request, response);
    } else this.enter(request as GatewayRequest, response, response);
  };

  /** A response on the raw socket lets the same guards judge upgrades, and answers where they refuse. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer, response: ServerResponse): void {
    this.upgrades.add(socket);
    socket.on('close', () => this.upgrades.delete(socket));
    socket.on('error', () => socket.destroy());
    if (condemned.has(socket) || socket.writableEnded) return;
    try {
      response.assignSocket(socket);
    } catch {
      // An earlier request still waits for its answer on this connection: nobody who means well pipelines an upgrade.
      socket.destroy();
      return;
    }
    response.shouldKeepAlive = false;
    response.on('finish', () => {
      response.detachSocket(socket);
      socket.destroySoon();
    });
    carried.set(socket, { read: socket.bytesRead - head.length, written: socket.bytesWritten });
    if (head.length > 0) socket.unshift(head);
    if (this.isForNeighbour(request, response)) this.house.neighbour.handle(request, response);
    else this.enter(request as GatewayRequest, response, socket);
  }

  /** Where https is to be found, now that it is known. */
  announce(tlsPort: number | undefined): void {
    this.house.https.port = tlsPort;
  }

  /** Ends the connections that are no longer HTTP. */
  closeUpgraded(): void {
    for (const socket of this.upgrades) socket.destroy();
  }

  private isForNeighbour(request: IncomingMessage, response: ServerResponse): boolean {
    const { url = '/', httpVersion } = request;
    if (url.startsWith('/api/') || !this.house.neighbour.claims(url)) return false;
    // Without a Host it is nobody's (RFC 9112 §3.2), and admission says so.
    if (httpVersion !== '1.0' && request.headers.host === undefined) return false;
    const { https } = this.house;
    if (!https.matters) return true;
    const scheme = this.schemeOf(request);
    // What must come by https does not get there, but where everything that comes in plain text is answered.
    if (https.forced && scheme === 'http' && !https.exempts(url)) return false;
    const hsts = https.hsts(scheme);
    if (hsts.length > 0) response.setHeader(hsts[0] as string, hsts[1] as string);
    return true;
  }

  /** By the same rules as those of the admission, which is not asked about what is the neighbour's. */
  private schemeOf({ socket, headers }: IncomingMessage): Arrival['scheme'] {
    const said = (name: string): string | undefined => headers[name]?.toString();
    const peer = this.peer(socket);
    const { proxies } = this.house;
    const claims = proxies.heard({
      forwardedFor: said('x-forwarded-for'),
      forwarded: said('forwarded'),
      forwardedProto: said('x-forwarded-proto'),
      forwardedHost: undefined,
    });
    const { hops } = proxies.client(peer, claims);
    return arrivalOf(peer, hops, claims, '').scheme;
  }

  /** @param ending emits `close` when the request is over, however it ends. */
  private enter(request: GatewayRequest, response: ServerResponse, ending: EventEmitter): void {
    const { observation, filter, cors, https } = this.house;
    const peer = this.peer(request.socket);
    const context = new RequestContext(performance.now());
    const { protocol, rpc }: Speaking = request.socket;
    context.protocol = protocol ?? `HTTP/${request.httpVersion}`;
    context.rpc = rpc;
    context.scheme = peer.encrypted ? 'https' : 'http';
    context.hsts = https.hsts(context.scheme);
    request.context = context;
    observation.begin();
    ending.on('close', () => this.leave(request, response));
    if (response.socket === null) closeWithConnection(request.socket, response);
    if (this.house.draining()) response.shouldKeepAlive = false;
    try {
      this.admit(request, peer);
      if (https.forced && context.scheme === 'http') return sendToHttps(request, response, https);
      if (context.method === 'OPTIONS') {
        const preflight = cors.preflight(context, request.headers['access-control-request-method']);
        if (preflight) return answerPreflight(response, context, preflight);
      }
    } catch (error) {
      // What was refused here may be mis-framed.
      condemned.add(request.socket);
      closeAfterResponse(request, response);
      return filter.respond(error, request, response);
    }
    this.house.path.enter(request, response);
  }

  private admit(request: GatewayRequest, peer: Peer): void {
    const { admission, https, tracing } = this.house;
    const { context } = request;
    try {
      admission.admit(request as ArrivingRequest & GatewayRequest, peer, context);
    } catch (error) {
      const moves = https.forced && context.scheme === 'http';
      // Where everything goes to https, what is the neighbour's does, too.
      if (!(moves && error instanceof GatewayError && error.code === 'not_found')) throw error;
    } finally {
      if (tracing !== undefined) context.trace = tracing.begin(context.upstreamHeaders);
    }
    // A trusted proxy may have said that it was asked otherwise than the connection shows.
    context.hsts = https.hsts(context.scheme);
  }

  private leave(request: GatewayRequest, response: ServerResponse): void {
    const { context } = request;
    if (context.switchedProtocols) {
      const { socket } = request;
      const { read, written } = carried.get(socket) ?? { read: 0, written: 0 };
      context.bytesIn = socket.bytesRead - read;
      context.bytesOut = socket.bytesWritten - written;
    }
    this.house.observation.end(context, statusOf(response, context), isWhole(response));
  }

  private peer(socket: Socket): Peer {
    let peer = peers.get(socket);
    if (!peer) {
      peer = this.house.proxies.peer(socket.remoteAddress ?? '', 'encrypted' in socket);
      peers.set(socket, peer);
    }
    return peer;
  }
}

/** A response that went out whole has let go of its socket. */
function isWhole(response: ServerResponse): boolean {
  return response.writableFinished && response.socket === null;
}

/** The client's view of the outcome. */
function statusOf(response: ServerResponse, context: RequestContext): number {
  if (context.switchedProtocols) return 101;
  if (isWhole(response)) return outcomeOf(context, response);
  // Broken off, and by the client, unless somebody has said otherwise.
  context.refusal ??= new GatewayError('client_gone');
  return response.headersSent ? response.statusCode : context.refusal.status;
}

/** A pipelined request has no socket until its turn comes, and Node does not tell its response when there will be none. */
function closeWithConnection(socket: Socket, response: ServerResponse): void {
  const close = (): void => {
    if (response.socket !== null || response.writableFinished) return;
    response.destroyed = true;
    response.emit('close');
  };
  // One listener for each request in the queue is no leak.
  socket.setMaxListeners(0);
  socket.once('close', close);
  response.once('close', () => socket.off('close', close));
}

function answerPreflight(
  response: ServerResponse,
  context: RequestContext,
  headers: readonly string[],
): void {
  response.writeHead(204, [...headers, ...context.hsts, 'X-Request-Id', context.id]);
  response.end();
}

/** @throws GatewayError https_required */
function sendToHttps(request: GatewayRequest, response: ServerResponse, https: HttpsPolicy): void {
  const { context } = request;
  const location = https.location(context.method, context.host, context.path + context.query);
  if (context.bodyLength !== undefined && !request.complete) closeAfterResponse(request, response);
  // prettier-ignore
  response.writeHead(308, [
    'Location', location,
    'Content-Length', '0',
    'Cache-Control', 'no-store',
    'X-Request-Id', context.id,
  ]);
  response.end();
}
