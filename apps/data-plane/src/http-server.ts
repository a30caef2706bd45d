import http, { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { GatewayConfig } from '#libs/config';
import { answerParserError } from './client-error';
import type { Cors } from './cors';
import type { FrontDoor } from './front-door';
import { prepareLastWrite } from './last-write';
import { refusableRequests } from './refusable';
import { endUnread } from './unread-connections';

/** Idle client connections outlive those of an ingress (nginx 60 s), so that the ingress never sends into a closing one. */
const KEEP_ALIVE_MS = 75_000;
/** How often it is looked for heads that trickle in (slowloris), and connections on which none has come: Node's 30 s are long. */
const LONGEST_LOOK_MS = 5000;

/** A server that reads clients as all of them are read, whatever their connection came over. */
export function createServer({ maxHeaderBytes, load }: GatewayConfig, cors: Cors): Server {
  const { clientHeadTimeoutMs, clientReadTimeoutMs } = load;
  const server = http.createServer({
    IncomingMessage: refusableRequests(cors),
    maxHeaderSize: maxHeaderBytes,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: clientHeadTimeoutMs,
    connectionsCheckingInterval: Math.min(LONGEST_LOOK_MS, Math.ceil(clientHeadTimeoutMs / 4)),
    // Bodies have a pace to keep instead (PaceWatch); Node's own bound would also bound the time for the head.
    requestTimeout: 0,
    // Also where NODE_OPTIONS say otherwise: the lenient parser takes folded lines and two lengths.
    insecureHTTPParser: false,
    // Node would answer by itself, unobserved, and go on to the next request of the connection; the door does not.
    requireHostHeader: false,
  });
  endUnread(server, clientReadTimeoutMs);
  return server;
}

/** Sends everything that a server receives through the door, also what Node would answer by itself. */
export function openTo(door: FrontDoor, server: Server): Server {
  // Beyond this Node drops header fields without a word; their number is bounded by admission instead.
  server.maxHeadersCount = 0;
  server.on('connection', prepareLastWrite);
  server.on('request', door.request);
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    door.upgrade(request, socket, head, new ServerResponse(request));
  });
  // Without listeners Node answers 100 and 417 itself, before anybody has judged the request.
  server.on('checkContinue', door.request);
  server.on('checkExpectation', door.request);
  server.on('clientError', answerParserError);
  return server;
}
