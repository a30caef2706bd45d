import type { Server, Socket } from 'node:net';
import { Server as TlsServer, type TLSSocket } from 'node:tls';
import type { ProxyTrust } from '#libs/guards';
import type { Drainable } from '#libs/lifecycle';
import { FirstBytes, standBefore } from '../first-bytes';
import { readProxyHeader, type HeaderFault } from './proxy-header';

/** Why a connection was closed before it said anything to us. */
export type ConnectionFault = HeaderFault | 'missing' | 'timeout' | 'untrusted';

interface Terms {
  /** Whether connections without a header are closed. */
  readonly required: boolean;
  /** Only of their connections a header is read. */
  readonly proxies: Pick<ProxyTrust, 'peer'>;
  readonly refused: (fault: ConnectionFault) => void;
}

/** Proxies send it with their first segment; this leaves room for one that is lost and sent again. */
const HEADER_TIMEOUT_MS = 5000;

/**
 * Reads the PROXY protocol before anybody else sees a connection, plain or TLS: from then on its `remoteAddress` is the one
 * that the proxy has announced. What comes from elsewhere is never read for a header.
 */
export class ProxyConnections {
  private readonly pending = new Set<Socket>();
  /** Announced addresses of TLS connections until their handshake is over, by the ends of the connection. */
  private readonly announced = new Map<string, string>();

  constructor(private readonly terms: Terms) {}

  /** Puts itself before what listens for the server's connections so far. */
  precede(server: Drainable): void {
    standBefore(server, (socket, handOn) => this.receive(server, socket, handOn));
    if (server instanceof TlsServer)
      server.prependListener('secureConnection', (socket) => this.name(socket));
    const closeIdle = server.closeIdleConnections.bind(server);
    server.closeIdleConnections = () => {
      for (const socket of this.pending) socket.destroy();
      closeIdle();
    };
  }

  private receive(server: Server, socket: Socket, handOn: () => void): void {
    const { required, proxies, refused } = this.terms;
    const { trusted } = proxies.peer(socket.remoteAddress ?? '', false);
    if (trusted) return this.read(server, socket, handOn);
    if (!required) return handOn();
    refused('untrusted');
    socket.destroy();
  }

  private read(server: Server, socket: Socket, handOn: () => void): void {
    const { required, refused } = this.terms;
    const refuse = (fault: ConnectionFault): void => {
      first.destroy();
      refused(fault);
    };
    const go = (length: number, source?: string): void =>
      first.handOn(length, () => {
        if (source !== undefined) this.announce(server, socket, source);
        handOn();
      });
    const first = new FirstBytes(socket, this.pending, HEADER_TIMEOUT_MS, {
      saw: (received) => {
        const header = readProxyHeader(received);
        if (header === 'incomplete') return;
        if (header === 'absent') return required ? refuse('missing') : go(0);
        if ('fault' in header) return refuse(header.fault);
        go(header.length, header.source);
      },
      // Without a byte, somebody has looked whether the port is open.
      ended: ({ length }) => length > 0 && refused('malformed'),
      // Who may do without a header may also be slow: the server has time-outs of its own.
      late: ({ length }) => (length === 0 && !required ? go(0) : refuse('timeout')),
    });
  }

  private announce(server: Server, socket: Socket, source: string): void {
    if (server instanceof TlsServer) {
      const ends = endsOf(socket);
      this.announced.set(ends, source);
      socket.once('close', () => this.announced.delete(ends));
    }
    setAddress(socket, source);
  }

  private name(socket: TLSSocket): void {
    const source = this.announced.get(endsOf(socket));
    if (source !== undefined) setAddress(socket, source);
  }
}

/** The address that everybody who asks the socket gets from now on. */
function setAddress(socket: Socket, address: string): void {
  Object.defineProperty(socket, 'remoteAddress', { value: address, configurable: true });
}

/** What no two open connections have in common. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join();
}
