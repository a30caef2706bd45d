import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import tls, { type TLSSocket, type TlsOptions } from 'node:tls';
import { TLS_TERMS, type Certificates } from '#libs/certificates';
import type { Drainable } from '#libs/lifecycle';
import { ALPN_HTTP2, type Http2Door } from './http2/http2-door';

/** A handshake takes two round trips; whoever needs longer holds a place for nothing. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * Takes TLS connections and hands them on by what was negotiated (ALPN, RFC 7301): HTTP/2 to its door, everything else
 * to the HTTP server that also takes plain connections, so that both are read by one parser with one set of rules.
 * @param strictSni refuses names that no certificate is for; the handshake fails with an alert.
 */
export function createTlsListener(
  certificates: Certificates,
  strictSni: boolean,
  http: HttpServer,
  http2: Http2Door,
): Drainable {
  const server = tls.createServer({
    ...ownContext(certificates, strictSni),
    SNICallback: (name, done) => {
      const { choice } = certificates;
      // Without a context the server's own is used: the default certificate, or none at all.
      done(null, (choice.for(name) ?? (strictSni ? undefined : choice.default))?.context);
    },
    ALPNProtocols: [ALPN_HTTP2, 'http/1.1'],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    // As node:http has it. A client may close its side and wait for the answer.
    allowHalfOpen: true,
    noDelay: true,
  });
  certificates.onChange(() => server.setSecureContext(ownContext(certificates, strictSni)));
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  server.on('secureConnection', (socket) => {
    if (socket.alpnProtocol === ALPN_HTTP2) http2.enter(socket);
    else http.emit('connection', socket);
  });
  // Port scans, health checks that say nothing, clients without trust: nothing to answer and nobody to tell.
  server.on('tlsClientError', (_error: Error, socket: TLSSocket) => socket.destroy());
  return Object.assign(server, {
    // Those of HTTP/1.1 are also the HTTP server's.
    closeIdleConnections: () => http2.closeGracefully(),
    closeAllConnections: () => {
      for (const socket of connections) socket.destroy();
    },
  });
}

/** For clients that ask for no name, and for names without a certificate. With strict SNI it has none: handshakes fail. */
function ownContext({ choice }: Certificates, strictSni: boolean): TlsOptions {
  return strictSni ? TLS_TERMS : { ...TLS_TERMS, ...choice.default.pem };
}
