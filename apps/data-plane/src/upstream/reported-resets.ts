import { Socket } from 'node:net';

/** What undici calls a broken connection; a reset by its own name is something else to it, see below. */
const BROKEN = 'UND_ERR_SOCKET';

/**
 * Makes a connection say that it was reset. There are two ways in which a reset passes for the good end of a body that
 * nothing but the end of its connection delimits (RFC 9112 §6.3, the last case), so that half of a body is billed as whole:
 * undici takes ECONNRESET for that end, and blames an idle connection's on the next request; and libuv, told at once of
 * bytes and of the hang-up behind them, reports an end without asking whether it was one.
 */
export function reportResets(socket: Socket): void {
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET') error.code = BROKEN;
  });
  socket.push = push;
}

function push(this: Socket, chunk: unknown, encoding?: BufferEncoding): boolean {
  if (chunk !== null || !isReset(this)) return Socket.prototype.push.call(this, chunk, encoding);
  this.destroy(Object.assign(new Error('read ECONNRESET'), { code: BROKEN }));
  return false;
}

/**
 * A connection that its peer has closed still has a peer; one that was reset has none (getpeername(2), ENOTCONN). Node asks
 * the system for the first time only, and nobody has asked for an upstream's before.
 */
function isReset(socket: Socket): boolean {
  return socket.remoteAddress === undefined;
}
