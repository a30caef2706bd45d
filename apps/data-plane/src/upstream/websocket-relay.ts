import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { GatewayError } from '#libs/errors';
import type { GatewayRequest } from '#libs/guards';
import type { ServedTenant } from '#libs/tenants';
import type { Proxy } from './proxy';
import { responseHead } from './response-headers';
import type { Transport } from './transport';
import { upstreamError, type Refuse } from './upstream-errors';

/** Hands judged upgrade requests to http-proxy, and puts right what it leaves out: time-outs and honest refusals. */
export class WebSocketRelay {
  /** The responses of handshakes under way, by the request that http-proxy passes to its events. */
  private readonly handshakes = new WeakMap<IncomingMessage, ServerResponse>();

  constructor(
    private readonly proxy: Proxy,
    private readonly transport: Transport,
    private readonly refuse: Refuse,
  ) {
    proxy.on('proxyReqWs', (outgoing, request, socket) => {
      this.follow(outgoing, request as GatewayRequest, socket);
    });
    proxy.on('error', (error, request) => this.fail(error, request as GatewayRequest));
  }

  relay(request: GatewayRequest, response: ServerResponse): void {
    const { context } = request;
    const { tenant } = context;
    if (!tenant) throw new Error('the WebSocketRelay ran before the guards');
    const origin = new URL(tenant.upstream.origin);
    this.handshakes.set(request, response);
    context.upstreamStartedAt = performance.now();
    request.url = tenant.upstream.basePath + context.routedPath + context.query;
    request.headers = handshakeHeaders(request, tenant);
    this.proxy.ws(request, request.socket, Buffer.alloc(0), {
      target: { protocol: origin.protocol, host: origin.hostname.replace(/^\[|\]$/g, ''), port: origin.port },
      agent: this.transport.agentFor(origin),
    });
  }

  /** Before the handshake leaves: what happens with each way it may end. */
  private follow(outgoing: ClientRequest, request: GatewayRequest, socket: Socket): void {
    const response = this.handshakes.get(request);
    const { context } = request;
    if (!response || !context.tenant) return;
    const { firstByteMs, idleMs } = this.transport.timeouts(context.tenant);
    const deadline = setTimeout(() => outgoing.destroy(new GatewayError('upstream_timeout')), firstByteMs);
    const abandon = (): void => void outgoing.destroy();
    socket.once('close', abandon);
    outgoing.once('close', () => clearTimeout(deadline));

    outgoing.once('upgrade', (_answer, upstreamSocket: Socket) => {
      clearTimeout(deadline);
      socket.off('close', abandon);
      this.handshakes.delete(request);
      // http-proxy writes the 101 to the raw socket; the response that could have refused steps aside.
      response.detachSocket(socket);
      context.switchedProtocols = true;
      // Data in either direction passes through this socket, so its silence is the silence of both.
      upstreamSocket.setTimeout(idleMs, () => upstreamSocket.destroy());
      // http-proxy joins the streams, but one that vanishes would leave the other open.
      upstreamSocket.once('close', () => socket.destroySoon());
      socket.once('close', () => upstreamSocket.destroy());
    });
    outgoing.once('response', (answer) => {
      clearTimeout(deadline);
      this.handshakes.delete(request);
      relayRefusal(answer, response, context.id);
    });
  }

  private fail(error: unknown, request: GatewayRequest): void {
    const response = this.handshakes.get(request);
    this.handshakes.delete(request);
    if (response && !response.headersSent && !response.destroyed)
      this.refuse(upstreamError(error), request, response);
  }
}

/** The upstream declined to switch: its answer goes to the client as it is. */
function relayRefusal(
  answer: IncomingMessage & { upgrade?: boolean },
  response: ServerResponse,
  id: string,
): void {
  // Keeps http-proxy from writing the answer too, with the framing headers of the other hop.
  answer.upgrade = true;
  const raw = answer.rawHeaders.map((part) => Buffer.from(part, 'latin1'));
  response.writeHead(answer.statusCode ?? 502, responseHead(raw, ['X-Request-Id', id], false).headers);
  answer.pipe(response);
}

/** The headers that http-proxy copies to the upstream: the admitted ones and the handshake's own. */
function handshakeHeaders({ context }: GatewayRequest, tenant: ServedTenant): Record<string, string> {
  const headers: Record<string, string> = {
    host: tenant.upstream.host,
    connection: 'Upgrade',
    upgrade: 'websocket',
  };
  for (let i = 0; i < context.upstreamHeaders.length; i += 2) {
    const name = (context.upstreamHeaders[i] as string).toLowerCase();
    const value = context.upstreamHeaders[i + 1] as string;
    headers[name] =
      headers[name] === undefined ? value : `${headers[name]}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return headers;
}
