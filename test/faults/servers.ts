import { createServer, type RequestListener } from 'node:http';
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** An upstream of a row. */
export interface FaultyUpstream {
  readonly port: number;
  readonly url: string;
  /** Requests that have reached it. */
  requests(): number;
  /** Those whose answer it had not finished when their connection was closed; of raw upstreams nothing is known. */
  abandoned(): number;
  /** Connections that are open now. */
  connections(): number;
  /** Ends it with all its connections at once, as a crash would. */
  crash(): Promise<void>;
  /** Listens again, on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Announced, and shorter than what the gateway would keep a connection for by itself: rows come to rest sooner. */
const KEEP_ALIVE_MS = 3500;

/** An upstream that speaks HTTP properly, and does in it what `handle` says. */
export function startHttpUpstream(handle: RequestListener): Promise<FaultyUpstream> {
  let [requests, abandoned] = [0, 0];
  return serve(
    () =>
      createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
        requests += 1;
        request.on('error', () => undefined);
        response.on('error', () => undefined);
        response.on('close', () => (abandoned += response.writableEnded ? 0 : 1));
        handle(request, response);
      }),
    { requests: () => requests, abandoned: () => abandoned },
  );
}

/** An upstream that knows no HTTP: for each head that comes in, `react` says what goes out, and when. */
export function startRawUpstream(react: (socket: Socket, number: number) => void): Promise<FaultyUpstream> {
  let requests = 0;
  return serve(
    () =>
      createNetServer((socket) => {
        let tail = '';
        socket.on('data', (chunk) => {
          const text = tail + chunk.toString('latin1');
          const heads = text.split('\r\n\r\n').length - 1;
          tail = text.slice(text.lastIndexOf('\r\n\r\n') + 1).slice(-3);
          for (let i = 0; i < heads; i++) react(socket, ++requests);
        });
      }),
    { requests: () => requests, abandoned: () => 0 },
  );
}

async function serve(
  create: () => Server,
  counts: Pick<FaultyUpstream, 'requests' | 'abandoned'>,
): Promise<FaultyUpstream> {
  const open = new Set<Socket>();
  const start = async (port: number): Promise<Server> => {
    const server = create();
    server.on('connection', (socket) => {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => open.delete(socket));
    });
    await listen(server, port);
    return server;
  };
  let server = await start(0);
  const { port } = server.address() as AddressInfo;
  const crash = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of open) socket.destroy();
    await closed;
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    ...counts,
    connections: () => open.size,
    crash,
    restart: async () => void (server = await start(port)),
    stop: crash,
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}
