import { createHash } from 'node:crypto';
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  createServer,
} from 'node:http';
import {
  type AddressInfo,
  type Server as NetServer,
  type Socket,
  createServer as createNetServer,
} from 'node:net';

/** What the upstream saw of one request. */
export interface RecordedRequest {
  method: string;
  /** As it stood in the request line. */
  url: string;
  headers: IncomingHttpHeaders;
  /** Names and values as they were sent, order and case included. */
  rawHeaders: string[];
  rawTrailers: string[];
  httpVersion: string;
  bodyBytes: number;
  bodySha256: string;
  /** The first 64 KiB of the body as text. */
  bodyText: string;
  /** True when the sender went away before the end. */
  aborted: boolean;
  /** Settles when the request has come to its end, or its sender has gone. */
  ended: Promise<void>;
}

export type UpstreamHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  recorded: RecordedRequest,
) => void | Promise<void>;

export interface TestUpstream {
  url: string;
  port: number;
  server: Server;
  /** Every request, oldest first. */
  requests: RecordedRequest[];
  /** The newest request; throws when there was none. */
  last(): RecordedRequest;
  /** Ends it together with its open connections (idempotent). */
  stop(): Promise<void>;
}

const KEPT_BODY_BYTES = 64 * 1024;

/**
 * A real HTTP server on a free loopback port. It records every request and its body, then calls `handler`, which
 * answers by default with JSON `{method, url, headers}` after reading the body. A handler that wants to read slowly
 * calls `req.pause()` before it returns.
 */
export async function startUpstream(handler: UpstreamHandler = echo): Promise<TestUpstream> {
  const requests: RecordedRequest[] = [];
  const server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
    const recorded = record(req);
    requests.push(recorded);
    Promise.resolve(handler(req, res, recorded)).catch((error: unknown) => {
      res.statusCode = 599;
      res.end(`the test's upstream handler failed: ${String(error)}`);
    });
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    requests,
    last: () => newest(requests, 'the upstream got no request'),
    stop: () => {
      const closed = close(server);
      server.closeAllConnections();
      return closed;
    },
  };
}

async function echo(req: IncomingMessage, res: ServerResponse, recorded: RecordedRequest): Promise<void> {
  await recorded.ended;
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify({ method: req.method, url: req.url, headers: req.headers }));
}

function record(req: IncomingMessage): RecordedRequest {
  const hash = createHash('sha256');
  const recorded: RecordedRequest = {
    method: req.method!,
    url: req.url!,
    headers: req.headers,
    rawHeaders: req.rawHeaders,
    rawTrailers: [],
    httpVersion: req.httpVersion,
    bodyBytes: 0,
    bodySha256: '',
    bodyText: '',
    aborted: false,
    ended: new Promise((resolve) => {
      req.once('close', () => {
        recorded.aborted = !req.complete;
        recorded.rawTrailers = req.rawTrailers;
        recorded.bodySha256 = hash.digest('hex');
        resolve();
      });
    }),
  };
  // A second listener beside the handler's: both see every chunk, and pause() holds both.
  req.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    recorded.bodyBytes += chunk.length;
    if (recorded.bodyText.length < KEPT_BODY_BYTES) recorded.bodyText += chunk.toString();
  });
  req.on('error', () => {});
  return recorded;
}

/** What one connection sent, byte by byte. */
export interface RawConnection {
  socket: Socket;
  received: Buffer;
  /** `received` as latin1 text. */
  text(): string;
  closed: Promise<void>;
}

/** Called for every chunk; answers by writing to `connection.socket`. */
export type RawScript = (connection: RawConnection, chunk: Buffer) => void;

export interface RawUpstream {
  url: string;
  port: number;
  connections: RawConnection[];
  /** Everything every connection sent, oldest connection first, as latin1 text. */
  received(): string;
  stop(): Promise<void>;
}

const PLAIN_OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/**
 * A server that understands no HTTP at all: it keeps the bytes exactly as they arrived, for smuggling tests, and
 * plays back exactly what it is given, for broken upstreams. A string or buffer is sent when the first blank line
 * has come in, after which the connection is ended; a function is in full control. By default every chunk that
 * brings a blank line is answered with a plain 200, on a connection that stays open.
 */
export async function rawUpstream(script: string | Buffer | RawScript = answerHeads): Promise<RawUpstream> {
  const connections: RawConnection[] = [];
  const react = typeof script === 'function' ? script : playBack(script);
  const server = createNetServer((socket) => {
    const connection: RawConnection = {
      socket,
      received: Buffer.alloc(0),
      text: () => connection.received.toString('latin1'),
      closed: new Promise((resolve) => socket.once('close', () => resolve())),
    };
    connections.push(connection);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      connection.received = Buffer.concat([connection.received, chunk]);
      react(connection, chunk);
    });
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    connections,
    received: () => connections.map((connection) => connection.text()).join(''),
    stop: () => {
      const closed = close(server);
      for (const { socket } of connections) socket.destroy();
      return closed;
    },
  };
}

function answerHeads(connection: RawConnection, chunk: Buffer): void {
  // The blank line may be cut in two by the chunk's border.
  const tail = connection.received.subarray(-(chunk.length + 3));
  if (tail.includes('\r\n\r\n')) connection.socket.write(PLAIN_OK);
}

function playBack(bytes: string | Buffer): RawScript {
  const answered = new WeakSet<RawConnection>();
  return (connection) => {
    if (answered.has(connection) || !connection.received.includes('\r\n\r\n')) return;
    answered.add(connection);
    connection.socket.end(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  };
}

function newest<T>(list: T[], otherwise: string): T {
  const last = list.at(-1);
  if (last === undefined) throw new Error(otherwise);
  return last;
}

function listen(server: Server | NetServer): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function close(server: Server | NetServer): Promise<void> {
  // The error says that it is not running, which is what was asked for.
  return new Promise((resolve) => server.close(() => resolve()));
}
