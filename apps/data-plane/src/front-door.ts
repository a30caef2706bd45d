import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { GatewayError, type ProblemFilter } from '#libs/errors';
import {
  Admission,
  ProxyTrust,
  RequestContext,
  type ArrivingRequest,
  type GatewayRequest,
  type Peer,
} from '#libs/guards';
import type { Cors } from './cors';
import type { Observation } from './observation';

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
  readonly observation: Observation;
  readonly filter: ProblemFilter;
  /** The Nest application: guards and controller. */
  readonly application: RequestListener;
  readonly neighbour: Neighbour;
  /** Once true, responses ask their clients to reconnect elsewhere. */
  readonly draining: () => boolean;
}

/** The peer of a connection, worked out once per connection. */
const peers = new WeakMap<Socket, Peer>();

/** Where requests and upgrades enter: observed from the first moment, admitted or refused, then handed to Nest. */
export class FrontDoor {
  /** Connections that asked for an upgrade; the server forgets them, so shutdown must not. */
  private readonly upgrades = new Set<Duplex>();

  constructor(private readonly house: Household) {}

  readonly request: RequestListener = (request, response) => {
    if (this.isForNeighbour(request)) this.house.neighbour.handle(request, response);
    else this.enter(request as GatewayRequest, response, response);
  };

  /** Upgrades do not pass Express by themselves: a response on the raw socket lets the same application judge them. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer, response: ServerResponse): void {
    this.upgrades.add(socket);
    socket.on('close', () => this.upgrades.delete(socket));
    socket.on('error', () => socket.destroy());
    response.assignSocket(socket);
    response.shouldKeepAlive = false;
    response.on('finish', () => socket.destroySoon());
    if (head.length > 0) socket.unshift(head);
    if (this.isForNeighbour(request)) this.house.neighbour.handle(request, response);
    else this.enter(request as GatewayRequest, response, socket);
  }

  /** Ends the connections that are no longer HTTP. */
  closeUpgraded(): void {
    for (const socket of this.upgrades) socket.destroy();
  }

  private isForNeighbour({ url = '/' }: IncomingMessage): boolean {
    return !url.startsWith('/api/') && this.house.neighbour.claims(url);
  }

  /** @param ending emits `close` when the request is over, however it ends. */
  private enter(request: GatewayRequest, response: ServerResponse, ending: EventEmitter): void {
    const { admission, observation, filter, cors } = this.house;
    const context = new RequestContext(performance.now());
    request.context = context;
    observation.begin();
    ending.on('close', () => this.leave(request, response));
    if (this.house.draining()) response.shouldKeepAlive = false;
    try {
      admission.admit(request as ArrivingRequest & GatewayRequest, this.peer(request.socket), context);
      if (context.method === 'OPTIONS') {
        const preflight = cors.preflight(context, request.headers['access-control-request-method']);
        if (preflight) return answerPreflight(response, context, preflight);
      }
      this.house.application(request, response);
    } catch (error) {
      // What was refused here may be mis-framed; nothing that follows on this connection can be believed.
      response.shouldKeepAlive = false;
      filter.respond(error, request, response);
    }
  }

  private leave(request: GatewayRequest, response: ServerResponse): void {
    const { context } = request;
    if (context.switchedProtocols) {
      context.bytesIn = request.socket.bytesRead;
      context.bytesOut = request.socket.bytesWritten;
    }
    this.house.observation.end(context, statusOf(response, context));
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

/** The client's view of the outcome. */
function statusOf(response: ServerResponse, context: RequestContext): number {
  if (context.switchedProtocols) return 101;
  if (response.headersSent) return response.statusCode;
  context.refusal ??= new GatewayError('client_gone');
  return context.refusal.status;
}

function answerPreflight(
  response: ServerResponse,
  context: RequestContext,
  headers: readonly string[],
): void {
  response.writeHead(204, [...headers, 'X-Request-Id', context.id]);
  response.end();
}
