import type { EventEmitter } from 'node:events';
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

/** What an upstream of HTTP/2 saw of one request. */
export interface Http2Request {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** Names and values as they came. */
  readonly raw: readonly string[];
  /** The body so far. */
  body: Buffer;
  /** It has come to its own end. */
  ended: boolean;
  /** The code that it was reset with, once it is closed; 0 for none. */
  resetWith: number | undefined;
}

export type Http2Handler = (request: Http2Request) => void;

export interface Http2Upstream {
  /** `h2c://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  readonly server: Http2Server;
  /** Every request, oldest first. */
  readonly requests: Http2Request[];
  /** Every session there ever was. */
  readonly sessions: ServerHttp2Session[];
  /** Those that are open. */
  open(): ServerHttp2Session[];
  /** Ends it together with its sessions (idempotent). */
  stop(): Promise<void>;
}

const running = new Set<Http2Upstream>();

// Whatever a failed test leaves running.
afterAll(async () => {
  await Promise.all([...running].map((upstream) => upstream.stop()));
});

/** Starts a server of HTTP/2 without TLS on a loopback port; by default it answers with JSON when it has read the body. */
export async function startHttp2Upstream(
  handler: Http2Handler = echo,
  { port = 0, settings }: { port?: number; settings?: Settings } = {},
): Promise<Http2Upstream> {
  const server = createServer({ settings });
  const requests: Http2Request[] = [];
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => sessions.push(session));
  server.on('sessionError', () => undefined);
  // The fields as they came, which the types leave out.
  (server as EventEmitter).on(
    'stream',
    (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _: number, raw: string[]) => {
      const request: Http2Request = {
        stream,
        headers,
        raw,
        body: Buffer.alloc(0),
        ended: false,
        resetWith: undefined,
      };
      requests.push(request);
      stream.on('error', () => undefined);
      stream.on('end', () => (request.ended = !stream.aborted));
      stream.on('close', () => (request.resetWith = stream.rstCode));
      handler(request);
    },
  );
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const bound = (server.address() as AddressInfo).port;
  const upstream: Http2Upstream = {
    url: `h2c://127.0.0.1:${bound}`,
    port: bound,
    server,
    requests,
    sessions,
    open: () => sessions.filter((session) => !session.destroyed),
    async stop() {
      if (!running.delete(upstream)) return;
      const closed = new Promise((resolve) => server.close(resolve));
      for (const session of upstream.open()) session.destroy();
      await closed;
    },
  };
  running.add(upstream);
  return upstream;
}

/** Reads the body into the record. */
export function readBody(request: Http2Request, done: () => void = () => undefined): void {
  const chunks: Buffer[] = [];
  request.stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.stream.on('end', () => {
    request.body = Buffer.concat(chunks);
    done();
  });
}

function echo(request: Http2Request): void {
  const { stream, headers } = request;
  readBody(request, () => {
    if (stream.destroyed) return;
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end(
      JSON.stringify({ method: headers[':method'], url: headers[':path'], body: request.body.length }),
    );
  });
}
