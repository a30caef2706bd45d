import type http from 'node:http';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { GatewayError } from '#libs/errors';
import { retryPolicyOf, setsSession, type GatewayRequest } from '#libs/guards';
import type { PaceWatch } from '#libs/load';
import type { Upstream } from '#libs/tenants';
import type { RequestTrace } from '#libs/tracing';
import { tellTarget } from '../release-target';
import type { OpenStreams } from '../streams/open-streams';
import { JoinedSockets } from './joined-sockets';
import type { OutgoingSignatures } from './outgoing-signatures';
import type { Proxy } from './proxy';
import { responseHead, type ResponseChanges } from './response-headers';
import type { RetryBudgets } from './retry-budgets';
import type { RetryObservation } from './retry-observation';
import { targetAt } from './target-at';
import type { Transport } from './transport';
import { UpgradeDial } from './upgrade-dial';
import { upstreamError, type Refuse } from './upstream-errors';

/** What a handshake needs of what other requests use too. */
interface RelaySurroundings {
  readonly budgets: RetryBudgets;
  readonly retries: RetryObservation;
  readonly signatures: OutgoingSignatures;
  /** Sees that clients read. */
  readonly readers: PaceWatch;
}

/** Hands judged upgrade requests to http-proxy, and puts right what it leaves out: time-outs and honest refusals. */
export class WebSocketRelay {
  /** The responses of handshakes under way, by the request that http-proxy passes to its events. */
  private readonly handshakes = new WeakMap<IncomingMessage, ServerResponse>();

  constructor(
    private readonly proxy: Proxy,
    private readonly transport: Transport,
    private readonly refuse: Refuse,
    private readonly streams: OpenStreams,
    private readonly house: RelaySurroundings,
  ) {
    proxy.on('proxyReqWs', (outgoing, request, socket) => {
      this.follow(outgoing, request as GatewayRequest, socket);
    });
    proxy.on('error', (error, request) => this.fail(error, request as GatewayRequest));
  }

  relay(request: GatewayRequest, response: ServerResponse): void {
    const { context, socket } = request;
    const { upstream } = context;
    if (!upstream) throw new Error('the WebSocketRelay ran before the guards');
    // The client may have gone while the guards were waiting.
    if (socket.destroyed || socket.readableEnded) return void socket.destroy();
    const policy = retryPolicyOf(context);
    if (!policy) {
      const agent = this.transport.agentFor(new URL(upstream.origin));
      context.upstreamStartedAt = performance.now();
      return this.shake(request, response, upstream, agent);
    }
    const { budgets, retries: observation } = this.house;
    const dial = new UpgradeDial(context, socket, {
      transport: this.transport,
      policy,
      budget: budgets.of(context),
      observation,
      connected: (agent) => this.shake(request, response, context.upstream ?? upstream, agent),
      failed: (error) => this.refuse(error, request, response),
    });
    dial.start();
  }

  private shake(
    request: GatewayRequest,
    response: ServerResponse,
    upstream: Upstream,
    agent: http.Agent,
  ): void {
    const { context, socket } = request;
    const origin = new URL(upstream.origin);
    this.handshakes.set(request, response);
    // By now it is known where the handshake goes.
    this.house.signatures.signHandshake(context);
    request.url = targetAt(context, upstream);
    request.headers = handshakeHeaders(request, upstream);
    if (context.trace) Object.assign(request.headers, traceHeaders(context.trace));
    this.proxy.ws(request, socket, Buffer.alloc(0), {
      target: { protocol: origin.protocol, host: origin.hostname.replace(/^\[|\]$/g, ''), port: origin.port },
      agent,
    });
  }

  /** Before the handshake leaves: what happens with each way it may end. */
  private follow(outgoing: ClientRequest, request: GatewayRequest, socket: Socket): void {
    const { context } = request;
    const response = this.handshakes.get(request);
    if (!response) return;
    const { connectMs, firstByteMs, idleMs } = this.transport.timeouts(
      context.service?.timeouts ?? context.tenant?.timeouts,
    );
    // http-proxy joins paths by rules of its own, which turn `http:/` into `http://`.
    outgoing.path = request.url ?? '/';
    // … and copies headers into an object where this name sets the prototype, or nothing.
    const lost = request.headers[PROTOTYPE];
    if (lost !== undefined) outgoing.setHeader(PROTOTYPE, lost);
    const stopClock = timeHandshake(outgoing, connectMs, firstByteMs);
    const abandon = (): void => {
      this.handshakes.delete(request);
      socket.destroy();
      outgoing.destroy();
    };
    // A client has nothing to send before the answer: one that closes its side has gone.
    socket.once('end', abandon).once('close', abandon);
    const settle = (): void => {
      stopClock();
      this.handshakes.delete(request);
      socket.off('end', abandon).off('close', abandon);
    };

    outgoing.once('upgrade', (answer, upstreamSocket) => {
      settle();
      // http-proxy writes the 101 to the raw socket; the response that could have refused steps aside.
      response.detachSocket(socket);
      answer.headers['x-request-id'] = context.id;
      refuseSessions(answer.headers);
      if (context.shaped) changeHeaders(answer, context.shaped);
      context.switchedProtocols = true;
      context.trace?.answered(101);
      tellTarget(context, 101);
      const joined = new JoinedSockets(socket, upstreamSocket, idleMs, this.house.readers);
      this.streams.follow({ context, ending: socket, end: (refusal) => joined.refuse(refusal.code) });
    });
    // Keeps http-proxy from writing a refusal itself, with the framing headers of the other hop …
    outgoing.once('response', (answer: Switchable) => (answer.upgrade = true));
    // … but Node reads the same mark when all listeners are through, so the last of them takes it away.
    process.nextTick(() => {
      outgoing.once('response', (answer: Switchable) => {
        answer.upgrade = false;
        settle();
        this.relayRefusal(answer, request, response, idleMs);
      });
    });
  }

  private fail(error: unknown, request: GatewayRequest): void {
    const response = this.handshakes.get(request);
    this.handshakes.delete(request);
    if (response && !response.headersSent && !response.destroyed)
      this.refuse(upstreamError(error), request, response);
  }

  /** The upstream declined to switch: its answer goes to the client as it is. */
  private relayRefusal(
    answer: IncomingMessage,
    request: GatewayRequest,
    response: ServerResponse,
    idleMs: number,
  ): void {
    const { socket } = request;
    const status = answer.statusCode ?? 502;
    request.context.trace?.answered(status);
    const raw = answer.rawHeaders.map((part) => Buffer.from(part, 'latin1'));
    answer.setTimeout(idleMs, () => answer.destroy(new GatewayError('upstream_timeout')));
    answer.on('error', (error) => this.refuse(upstreamError(error), request, response));
    socket.once('close', () => answer.destroy());
    // Node's server, which has let go of the connection, would have passed this on.
    socket.on('drain', () => response.emit('drain'));
    try {
      const { id, shaped } = request.context;
      const { headers } = responseHead(status, raw, ['X-Request-Id', id], [], shaped);
      response.writeHead(status, headers);
      answer.pipe(response);
    } catch (error) {
      answer.destroy(error as Error);
    }
  }
}

/** A header like any other. */
const PROTOTYPE = '__proto__';

type Switchable = IncomingMessage & { upgrade?: boolean };

/** Connecting and answering have a time-out each. Returns what ends the count. */
function timeHandshake(outgoing: ClientRequest, connectMs: number, firstByteMs: number): () => void {
  const expire = (): void => void outgoing.destroy(new GatewayError('upstream_timeout'));
  let deadline = setTimeout(expire, connectMs);
  outgoing.once('socket', (socket) => {
    const wait = (): void => {
      clearTimeout(deadline);
      deadline = setTimeout(expire, firstByteMs);
    };
    // One that was dialled before (upgrade-dial.ts) is connected.
    if (!socket.connecting && (socket as { secureConnecting?: boolean }).secureConnecting !== true)
      return wait();
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', wait);
  });
  outgoing.once('close', () => clearTimeout(deadline));
  return () => clearTimeout(deadline);
}

/** Browsers take cookies from the head of a 101 as well, and that of the dashboard is nobody else's to set. */
function refuseSessions(headers: IncomingHttpHeaders): void {
  const cookies = headers['set-cookie'];
  if (cookies) headers['set-cookie'] = cookies.filter((cookie) => !setsSession(cookie));
}

/** http-proxy writes the head of a 101 from these. */
function changeHeaders(answer: IncomingMessage, changes: ResponseChanges): void {
  const flat = Object.entries(answer.headers).flatMap(([name, value]) =>
    [value ?? []].flat().flatMap((one) => [name, one]),
  );
  changes.apply(flat);
  // A header may be called `constructor`, and must not find one.
  answer.headers = Object.create(null) as IncomingHttpHeaders;
  for (let i = 0; i < flat.length; i += 2) {
    const name = (flat[i] as string).toLowerCase();
    const earlier = answer.headers[name];
    const value = flat[i + 1] as string;
    answer.headers[name] = earlier === undefined ? value : [earlier, value].flat();
  }
}

/** By which the upstream takes part in the trace. */
function traceHeaders(trace: RequestTrace): Record<string, string> {
  const [name = '', value = '', state, text = ''] = trace.attempt([]);
  return { [name]: value, ...(state !== undefined && { [state]: text }) };
}

/** The headers that http-proxy copies to the upstream: the admitted ones and the handshake's own. */
function handshakeHeaders({ context }: GatewayRequest, upstream: Upstream): Record<string, string> {
  // Without a prototype: whatever a header is called, there is nothing before it has come.
  const headers = Object.create(null) as Record<string, string>;
  Object.assign(headers, { host: upstream.host, connection: 'Upgrade', upgrade: 'websocket' });
  for (let i = 0; i < context.upstreamHeaders.length; i += 2) {
    const name = (context.upstreamHeaders[i] as string).toLowerCase();
    const value = context.upstreamHeaders[i + 1] as string;
    headers[name] =
      headers[name] === undefined ? value : `${headers[name]}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return headers;
}
