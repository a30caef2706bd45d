import { Socket } from 'node:net';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** A client's connection with something to be done right before what is written to it is handed to the system. */
interface RecordingSocket extends Socket {
  beforeFlush: (() => void) | undefined;
}

/**
 * Prepares a connection for `writeLast`. `uncork` is where a finished response turns into a system call, and the only
 * place that comes after all of Node's own work on it.
 */
export function prepareLastWrite(socket: Duplex): void {
  // What is written to a bridge (http2/) has not left yet.
  if (!(socket instanceof Socket)) return;
  const recording = socket as RecordingSocket;
  recording.beforeFlush = undefined;
  recording.uncork = uncork;
}

function uncork(this: RecordingSocket): void {
  const { beforeFlush } = this;
  if (beforeFlush !== undefined && this.writableCorked === 1) {
    this.beforeFlush = undefined;
    beforeFlush();
  }
  Socket.prototype.uncork.call(this);
}

/**
 * Makes the write after which the client has everything, and records it in the same breath: with nothing between the
 * two system calls, a kill can hardly part them. The record comes first, because the write wakes the client, which often
 * takes this very core. Where earlier bytes are still on their way it is left to whoever sees them leave.
 * @param bytes how much it writes at the most, beside a head.
 */
export function writeLast<T>(response: ServerResponse, bytes: number, record: () => void, write: () => T): T {
  const socket = response.socket as RecordingSocket | null;
  if (socket === null || socket.writableLength > 0 || bytes > AT_ONCE_BYTES || socket.uncork !== uncork) {
    const result = write();
    if (response.socket?.writableLength === 0) record();
    return result;
  }
  socket.cork();
  socket.beforeFlush = record;
  const result = write();
  // The end of a response uncorks by itself.
  if (socket.beforeFlush !== undefined) socket.uncork();
  return result;
}

/** What a send buffer takes whole, also a small one. */
const AT_ONCE_BYTES = 16_384;

/** A response that has only to be ended. */
export interface Ending {
  end(): void;
}

let endings: Ending[] = [];

/**
 * Ends a response together with all others that are complete by the end of this turn of the event loop. A write wakes the
 * client, or the ingress, and to wake somebody costs more than the write: of several in a row only the first has to. Under
 * load that is a quarter of all CPU time (docs/adr/0015), and the wait is that for the answers that have already arrived.
 */
export function atEndOfTurn(ending: Ending): void {
  if (endings.push(ending) === 1) setImmediate(endAll);
}

function endAll(): void {
  const now = endings;
  endings = [];
  let ended = 0;
  try {
    for (; ended < now.length; ended++) (now[ended] as Ending).end();
  } finally {
    // One of them has thrown, which is for the process to judge; the others are nobody's fault.
    for (const ending of now.slice(ended + 1)) atEndOfTurn(ending);
  }
}
