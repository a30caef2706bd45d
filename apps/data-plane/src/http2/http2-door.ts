import type { Server } from 'node:http';
import { performServerHandshake, type ServerOptions } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Logger } from '#libs/logging';
import { OpenSession, type SessionTerms } from './open-session';

/** The name of HTTP/2 over TLS (RFC 9113 §3.2). */
export const ALPN_HTTP2 = 'h2';

/** As for idle connections of HTTP/1.1. */
const IDLE_MS = 75_000;
/** Requests that one client may have in flight on one connection; as many as nginx and others allow, and then some. */
const MAX_CONCURRENT_STREAMS = 250;
/** Uploads of a stream that nobody has read yet; the default of 64 KiB makes them slow over a long way. */
const STREAM_WINDOW_BYTES = 262_144;
const CONNECTION_WINDOW_BYTES = 1_048_576;
/** Admission takes 200 fields, and says so; cookies may come in crumbs. */
const MAX_HEADER_PAIRS = 256;

/** What the door needs from the rest of the data plane. */
interface Household {
  /** The server of HTTP/1.1, which judges and answers everything. */
  readonly http: Server;
  readonly maxHeaderBytes: number;
  /** How long a client may leave unread what is here for it, milliseconds. */
  readonly readTimeoutMs: number;
  readonly draining: () => boolean;
  readonly logger: Logger;
}

/**
 * HTTP/2 for clients, in front of the same door as HTTP/1.1 (docs/adr/0013): a stream becomes an exchange with the
 * HTTP/1.1 server over a connection in memory, so that every guard, framing rule, time-out and record stays one.
 */
export class Http2Door {
  private readonly sessions = new Set<OpenSession>();
  private readonly options: ServerOptions;
  private readonly terms: SessionTerms;

  constructor({ http, maxHeaderBytes, readTimeoutMs, draining, logger }: Household) {
    this.options = {
      maxHeaderListPairs: MAX_HEADER_PAIRS,
      settings: {
        maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
        initialWindowSize: STREAM_WINDOW_BYTES,
        // A field counts 32 bytes more than its text (RFC 9113 §6.5.2). The text is measured behind it, and answered with
        // 431; what is far too large is reset here.
        maxHeaderListSize: maxHeaderBytes * 2 + MAX_HEADER_PAIRS * 32,
        enableConnectProtocol: false,
      },
    };
    this.terms = {
      http,
      draining,
      readTimeoutMs,
      misbehaved: (ip, what) =>
        logger.warn({ category: 'policy', ip, what }, 'an HTTP/2 session was ended: too many of a kind'),
    };
  }

  /** Takes a connection on which HTTP/2 has been negotiated, or begun with prior knowledge. */
  enter(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    const encrypted = socket instanceof TLSSocket;
    // One that is half closed has nothing to wait for: streams end by frames.
    socket.allowHalfOpen = false;
    const session = performServerHandshake(socket, this.options);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    const open = new OpenSession(session, { remoteAddress, remotePort, encrypted }, this.terms);
    session.setTimeout(IDLE_MS);
    session.on('timeout', () => open.closeIfIdle());
    this.sessions.add(open);
    session.once('close', () => this.sessions.delete(open));
  }

  /** Every session ends with the streams that are open on it now. */
  closeGracefully(): void {
    for (const session of this.sessions) session.closeGracefully();
  }
}
