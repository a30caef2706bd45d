import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/** How long a client that goes on sending gets to read its answer; nginx waits as long for more (lingering_timeout). */
const LINGER_MS = 5000;

/**
 * Makes a response the last on its connection although the client may still be sending its body. A plain close would
 * answer the bytes that were never read with a TCP reset, and that can overtake the response (RFC 9112 §9.6).
 */
export function closeAfterResponse(request: IncomingMessage, response: ServerResponse): void {
  response.shouldKeepAlive = false;
  // Node calls it once the last response of a connection has been written.
  request.socket.destroySoon = function (this: Socket): void {
    if (request.complete) Socket.prototype.destroySoon.call(this);
    else linger(request, this);
  };
}

/** Closes our side only, and throws away what still comes of the body. */
function linger(request: IncomingMessage, socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once('close', () => clearTimeout(timer));
  request.once('end', () => socket.destroy());
  socket.end();
  request.removeAllListeners('data');
  request.resume();
}
