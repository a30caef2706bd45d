import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Drainable } from '#libs/lifecycle';

type Listener = (socket: Socket) => void;

/**
 * Puts `receive` before what listens for the server's connections so far, which gets a connection by `handOn`. What another
 * listener hands over has passed here already: the inside of TLS, a stream of HTTP/2.
 */
export function standBefore(server: Drainable, receive: (socket: Socket, handOn: () => void) => void): void {
  const listeners = server.listeners('connection') as Listener[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const handOn = (): void => listeners.forEach((listener) => listener.call(server, socket));
    if (socket instanceof TLSSocket || !(socket instanceof Socket)) handOn();
    else receive(socket, handOn);
  });
}

/** Who looks at what a connection says first. */
export interface FirstLook {
  /** Everything that has come so far; called again with more until one of the methods of FirstBytes ends it. */
  saw(received: Buffer): void;
  /** Nothing more will come, and the connection is destroyed. */
  ended(received: Buffer): void;
  /** This is all that has come in time. */
  late(received: Buffer): void;
}

/** Reads what a connection says first, before anybody else hears of it. */
export class FirstBytes {
  private received: Buffer = Buffer.alloc(0);
  private readonly timer: NodeJS.Timeout;

  /** @param undecided has the connection until it is handed on or gone. @param patienceMs until it is late. */
  constructor(
    private readonly socket: Socket,
    private readonly undecided: Set<Socket>,
    patienceMs: number,
    private readonly look: FirstLook,
  ) {
    undecided.add(socket);
    this.timer = setTimeout(() => look.late(this.received), patienceMs).unref();
    socket.on('data', this.take).on('end', this.end).on('close', this.leave).on('error', ignore);
  }

  /** The connection is somebody else's now, with all that it has said from a place on. */
  handOn(from: number, next: () => void): void {
    const { socket, received } = this;
    this.leave();
    socket.pause();
    if (received.length > from) socket.unshift(received.subarray(from));
    next();
    // TLS and sessions of HTTP/2 take what is there by themselves.
    if (socket.listenerCount('data') > 0) socket.resume();
  }

  destroy(): void {
    this.leave();
    this.socket.on('error', ignore).destroy();
  }

  private readonly take = (chunk: Buffer): void => {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    this.look.saw(this.received);
  };

  private readonly end = (): void => {
    this.destroy();
    this.look.ended(this.received);
  };

  private readonly leave = (): void => {
    clearTimeout(this.timer);
    this.undecided.delete(this.socket);
    this.socket.off('data', this.take).off('end', this.end).off('close', this.leave).off('error', ignore);
  };
}

/** What happens to a connection is seen by its `close`. */
function ignore(): void {}
