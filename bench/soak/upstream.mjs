import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

/** What a download weighs. */
export const DOWNLOAD_BYTES = 1024 * 1024;
const DOWNLOAD = Buffer.alloc(DOWNLOAD_BYTES, 'x');
const EVENT_MS = 200;

/** One upstream for everybody; the last segment of a path says what it does. */
export async function startUpstream() {
  const server = createServer({ keepAliveTimeout: 20_000 }, (request, response) => {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    answer(request, response);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data) => socket.send(data));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      sockets.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
function answer(request, response) {
  const what = (request.url ?? '').split(/[/?]/).find((part) => part in ANSWERS) ?? 'small';
  ANSWERS[what]?.(request, response);
}

/** @type {Record<string, (request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => void>} */
const ANSWERS = {
  small: (_request, response) => void response.end('{"id":"ord_01HZX4","status":"shipped","total":129.9}'),
  download: (_request, response) => void response.end(DOWNLOAD),
  late: (_request, response) => void setTimeout(() => response.end('late'), 250),
  fails: (_request, response) => void response.writeHead(503).end('not today'),
  breaks: (request) => void request.socket.destroy(),
  length(request, response) {
    let bytes = 0;
    request.on('data', (chunk) => (bytes += chunk.length));
    request.on('end', () => response.end(String(bytes)));
  },
  events(request, response) {
    let left = Number(new URL(request.url ?? '', 'http://upstream').searchParams.get('count') ?? 5);
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
    const timer = setInterval(() => {
      response.write(`data: ${left}\n\n`);
      if (--left <= 0) response.end();
    }, EVENT_MS);
    response.on('close', () => clearInterval(timer));
  },
};
