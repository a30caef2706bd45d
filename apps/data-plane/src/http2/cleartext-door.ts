import type { Socket } from 'node:net';
import type { Drainable } from '#libs/lifecycle';
import { FirstBytes, standBefore } from '../first-bytes';
import type { Http2Door } from './http2-door';

/** With it a client says that it speaks HTTP/2 (RFC 9113 §3.4). No request of HTTP/1.1 begins like this. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/**
 * HTTP/2 without TLS, with prior knowledge, beside HTTP/1.1 on one port: by the first bytes of each connection it is seen
 * what a client speaks. `Upgrade: h2c` stays refused, as it lets a request be read in two ways. Nothing of it is there
 * where it is not asked for.
 */
export class CleartextDoor {
  /** Connections that have not said enough yet. */
  private readonly undecided = new Set<Socket>();
  private readonly connections = new Set<Socket>();

  /** @param patienceMs for the first bytes; after that it is HTTP/1.1, which has time-outs of its own. */
  constructor(
    private readonly http2: Http2Door,
    private readonly patienceMs: number,
  ) {}

  /** Puts itself before what listens for the server's connections so far. */
  precede(server: Drainable): void {
    standBefore(server, (socket, handOn) => this.read(socket, handOn));
    const closeIdle = server.closeIdleConnections.bind(server);
    server.closeIdleConnections = () => {
      for (const socket of this.undecided) socket.destroy();
      this.http2.closeGracefully();
      closeIdle();
    };
    const closeAll = server.closeAllConnections.bind(server);
    server.closeAllConnections = () => {
      for (const socket of [...this.undecided, ...this.connections]) socket.destroy();
      closeAll();
    };
  }

  private read(socket: Socket, handOn: () => void): void {
    const first = new FirstBytes(socket, this.undecided, this.patienceMs, {
      saw: (received) => {
        const length = Math.min(received.length, PREFACE.length);
        if (PREFACE.compare(received, 0, length, 0, length) !== 0) first.handOn(0, handOn);
        else if (length === PREFACE.length) first.handOn(0, () => this.enter(socket));
      },
      ended: () => undefined,
      late: () => first.handOn(0, handOn),
    });
  }

  private enter(socket: Socket): void {
    this.connections.add(socket);
    socket.once('close', () => this.connections.delete(socket));
    socket.on('error', ignore).setNoDelay(true);
    this.http2.enter(socket);
  }
}

function ignore(): void {
  // What happens to a connection is seen by its `close`.
}
