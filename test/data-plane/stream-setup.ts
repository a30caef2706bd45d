import { once, type EventEmitter } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import type { ApiKeyFields, Tenant } from '#libs/tenants';
import { waitFor } from '../support/children';
import { openConnection, requestHead } from '../support/connection';
import { startGateway, type TestGateway } from '../support/gateway';
import { startFakeIssuer, type FakeIssuer } from '../support/identity-provider';
import { openHttp2 } from '../support/http2-client';
import { accessLines, metric } from '../support/outcomes';
import { startUpstream, type TestUpstream } from '../support/upstream';
import type { LogLine } from '../support/process';

export const KINDS = ['event stream', 'WebSocket'] as const;
/** Over HTTP/2 for a gateway that has HTTPS. */
export type Kind = (typeof KINDS)[number] | 'event stream over HTTP/2';

/** A client with an open stream. */
export interface TestStream {
  readonly path: string;
  over(): boolean;
  /** The code of the close frame, and its reason; for an event stream how its connection ended. */
  outcome(): string;
  /** How many words of the upstream have come. */
  words(): number;
  /** Shows that it works: another word comes. */
  works(): Promise<void>;
  leave(): void;
}

export interface Credentials {
  readonly key?: string;
  readonly token?: string;
}

const NO_LIMIT = { windowSeconds: 1, maxRequests: 1_000_000 };
/** What is promised, and what a machine with other things to do may take on top. */
const PROMISED_MS = 1000;
const ALLOWANCE_MS = 3000;

/** Gateways over one store, an upstream with streams of both kinds, and an issuer. */
export class StreamSetup {
  private tenants = 0;
  private paths = 0;
  private readonly streams: TestStream[] = [];

  private constructor(
    readonly gateway: TestGateway,
    readonly upstream: TestUpstream,
    readonly issuer: FakeIssuer,
  ) {}

  static async start(env: Record<string, string>): Promise<StreamSetup> {
    const [gateway, upstream, issuer] = await Promise.all([
      // Every event stream takes a connection for itself.
      startGateway({ UPSTREAM_MAX_CONNECTIONS: '2000', ...env }),
      startStreams(),
      startFakeIssuer(),
    ]);
    return new StreamSetup(gateway, upstream, issuer);
  }

  async stop(): Promise<void> {
    for (const stream of this.streams) stream.leave();
    await Promise.all([this.upstream.stop(), this.issuer.stop(), this.gateway.close()]);
  }

  /** A new tenant; `/private` asks for a token. */
  async tenant(more: Partial<Tenant> = {}): Promise<{ id: string; key: string }> {
    const id = `tenant-${++this.tenants}`;
    const { issuer, jwksUri, audience } = this.issuer;
    const key = await this.gateway.addTenant({
      id,
      upstreamBaseUrl: this.upstream.url,
      rateLimit: NO_LIMIT,
      idp: { issuer, jwksUri, audience },
      allowedRoutes: [
        { path: '/open', auth: { jwt: false } },
        { path: '/private', auth: { jwt: true } },
      ],
      ...more,
    });
    return { id, key };
  }

  async made<T = { id: string; key: string }>(path: string, body: object): Promise<T> {
    const answer = await this.gateway.admin('POST', `/admin/tenants/${path}`, body);
    if (answer.status >= 300) throw new Error(`not made: ${JSON.stringify(answer.body)}`);
    return answer.body as T;
  }

  key(tenantId: string, fields: Partial<ApiKeyFields> = {}): Promise<{ id: string; key: string }> {
    return this.made(`${tenantId}/api-keys`, { name: 'k', rateLimit: NO_LIMIT, ...fields });
  }

  service(tenantId: string): Promise<{ id: string }> {
    const targets = [{ url: this.upstream.url }];
    return this.made(`${tenantId}/services`, { name: 's', targets, auth: { jwt: false } });
  }

  /** An open stream, with its first words received. */
  async open(kind: Kind, { key, token }: Credentials, below = '/api/open', via = this.gateway) {
    const path = `${below}/${++this.paths}`;
    const headers: Record<string, string> = {
      ...(key && { 'X-API-Key': key }),
      ...(token && { Authorization: `Bearer ${token}` }),
    };
    const stream = await OPENED[kind](via, path, headers);
    this.streams.push(stream);
    await waitFor(`a word of ${path}`, () => stream.words() > 0);
    return stream;
  }

  both(credentials: Credentials, below?: string, via?: TestGateway): Promise<TestStream[]> {
    return Promise.all(KINDS.map((kind) => this.open(kind, credentials, below, via)));
  }

  /** Waits until they have been closed, and checks that log and metric say why. */
  async expectClosed(streams: TestStream[], code: string, via = this.gateway): Promise<void> {
    await waitFor(
      `the end of all: ${streams.map((stream) => `${stream.path} ${stream.outcome()}`).join()}`,
      () => streams.every((stream) => stream.over()),
      PROMISED_MS + ALLOWANCE_MS,
    );
    for (const stream of streams) {
      const { path } = stream;
      const access = await waitFor(`an access line of ${path}`, () => accessLines(via, path)[0]);
      expect(access).toMatchObject({ decision: code });
      expect(refusalOf(via, access)).toMatchObject({ reason: code, guard: 'open_stream' });
      expect(stream.outcome()).toBe(access.status === 101 ? `1008 ${code}` : 'broken off');
    }
    const logged = via.logs.filter(
      ({ msg, guard, reason }) => msg === 'refused' && guard === 'open_stream' && reason === code,
    );
    expect(await metric(via, 'gateway_streams_closed_total', `reason="${code}"`)).toBe(logged.length);
  }
}

function refusalOf({ logs }: TestGateway, { requestId }: LogLine): LogLine | undefined {
  return logs.find((line) => line.msg === 'refused' && line.requestId === requestId);
}

/**
 * Every GET is answered with an event stream, every handshake with a WebSocket; both speak at once and every 20 ms, those
 * of `/quiet` only once.
 */
async function startStreams(): Promise<TestUpstream> {
  const upstream = await startUpstream(({ url }, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    speak(url, (word) => response.write(`data: ${word}\n\n`), response);
  });
  const server = new WebSocketServer({ server: upstream.server });
  server.on('connection', (socket, { url }) => {
    socket.on('error', () => undefined);
    speak(url, (word) => socket.send(word), socket);
  });
  return upstream;
}

function speak(url = '', say: (word: string) => void, until: EventEmitter): void {
  say('word');
  if (url.includes('/quiet')) return;
  const timer = setInterval(() => say('word'), 20);
  until.once('close', () => clearInterval(timer));
}

/** @param words how many have come so far. */
function stream(path: string, words: () => number, outcome: () => string, leave: () => unknown): TestStream {
  return {
    path,
    outcome,
    over: () => outcome() !== '',
    async works() {
      const before = words();
      await waitFor(`another word of ${path}`, () => words() > before, 5000, 5);
    },
    words,
    leave: () => void leave(),
  };
}

async function openSocket(
  gateway: TestGateway,
  path: string,
  headers: Record<string, string>,
): Promise<TestStream> {
  const socket = new WebSocket(gateway.url.replace('http', 'ws') + path, { headers });
  let outcome = '';
  let words = 0;
  socket.on('error', () => undefined);
  socket.on('message', () => (words += 1));
  socket.on('close', (code, reason) => (outcome = `${code} ${reason.toString()}`));
  await once(socket, 'open');
  return stream(
    path,
    () => words,
    () => outcome,
    () => socket.terminate(),
  );
}

async function openEvents(
  gateway: TestGateway,
  path: string,
  headers: Record<string, string>,
): Promise<TestStream> {
  const connection = await openConnection(gateway.port);
  await connection.send(requestHead(`GET ${path}`, headers));
  let outcome = '';
  void connection.closed.then(() => {
    // A chunk of no bytes would be a clean end.
    outcome = connection.received().includes('\r\n0\r\n') ? 'ended' : 'broken off';
  });
  return stream(
    path,
    () => connection.received().split('data: word').length - 1,
    () => outcome,
    () => connection.destroy(),
  );
}

async function openHttp2Events(
  gateway: TestGateway,
  path: string,
  headers: Record<string, string>,
): Promise<TestStream> {
  const session = await openHttp2(gateway.tlsPort);
  const events = session.request({ ':path': path, ...headers });
  let outcome = '';
  let received = '';
  events.on('error', () => undefined);
  events.on('data', (chunk: Buffer) => (received += chunk.toString()));
  events.on('close', () => (outcome = events.rstCode === 0 ? 'ended' : 'broken off'));
  return stream(
    path,
    () => received.split('data: word').length - 1,
    () => outcome,
    () => session.destroy(),
  );
}

const OPENED: Record<Kind, typeof openEvents> = {
  'event stream': openEvents,
  'event stream over HTTP/2': openHttp2Events,
  WebSocket: openSocket,
};
