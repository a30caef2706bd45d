import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { BridgedSocket } from './http2/bridged-socket';

/** Of the time that clients have: those who watch over one response (slow-reader.ts) come first, and say why. */
const PATIENCE = 2;
const LOOKS_PER_TIMEOUT = 2;
const LONGEST_LOOK_MS = 15_000;

/** How far a client had come when it last came further. */
interface Progress {
  /** Bytes. */
  taken: number;
  since: number;
}

/**
 * Ends connections whose clients leave unread what waits for them, whoever has written it: refusals above all, over which
 * nobody else watches, and of which a client that pipelines can leave megabytes in the system's memory. A look at all of them
 * now and then costs less than a timer for each.
 */
export function endUnread(server: Server, readTimeoutMs: number): void {
  const open = new Map<Socket, Progress>();
  const look = (): void => {
    const now = performance.now();
    for (const [socket, progress] of open) {
      const waiting = unread(socket);
      // Not by what waits alone: before one that reads slowly, but does, there may always be as much.
      const taken = waiting === 0 ? 0 : socket.bytesWritten - waiting;
      if (waiting === 0 || taken !== progress.taken) Object.assign(progress, { taken, since: now });
      else if (now - progress.since >= PATIENCE * readTimeoutMs) socket.destroy();
    }
  };
  const timer = setInterval(look, Math.min(LONGEST_LOOK_MS, readTimeoutMs / LOOKS_PER_TIMEOUT)).unref();
  server.once('close', () => clearInterval(timer));
  server.on('connection', (socket: Socket) => {
    // Streams of HTTP/2 have an end of their own (http2/carried-stream.ts).
    if ((socket as Duplex) instanceof BridgedSocket) return;
    open.set(socket, { taken: 0, since: 0 });
    socket.once('close', () => open.delete(socket));
  });
}

/** What is here for a client; of what the system is being given, by Node's own measure, too: a large piece may take minutes. */
function unread(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: number } | null };
  return socket.writableLength + (handle?.writeQueueSize ?? 0);
}
