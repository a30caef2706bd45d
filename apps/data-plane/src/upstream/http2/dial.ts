import net, { type LookupFunction, type Socket } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import { ALPN_HTTP2 } from '../../http2/http2-door';

/** Where to connect to, and how. */
export interface DialTerms {
  /** `https:` for TLS. */
  readonly origin: URL;
  readonly timeoutMs: number;
  readonly lookup: LookupFunction;
}

type Connected = (error: Error | undefined, socket?: Socket) => void;

/** How long a connection may be silent before the system looks whether there is still somebody. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Connects to a server of HTTP/2: over TLS only to one that chooses it (ALPN), over plain TCP with prior knowledge
 * (RFC 9113 §3.3). undici's own connector would offer HTTP/1.1 as well, and might get it.
 * @param done called once; with ETIMEDOUT when it takes too long.
 */
export function dial({ origin, timeoutMs, lookup }: DialTerms, done: Connected): void {
  const host = origin.hostname.replace(/^\[|\]$/g, '');
  const secure = origin.protocol === 'https:';
  const options = { host, port: Number(origin.port) || (secure ? 443 : 80), lookup };
  const socket = secure ? tls.connect({ ...options, ...tlsTerms(host) }) : net.connect(options);
  const timer = setTimeout(() => socket.destroy(timedOut(origin)), timeoutMs);
  const end = (error?: Error): void => {
    clearTimeout(timer);
    socket.off('error', end).off('close', end);
    socket.on('error', ignore);
    if (error || socket.destroyed) return done(error ?? new Error('the connection was closed'));
    if (!secure || (socket as TLSSocket).alpnProtocol === ALPN_HTTP2) return done(undefined, socket);
    socket.destroy();
    done(new Error(`${origin.host} does not offer HTTP/2`));
  };
  socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
  socket.once('error', end).once('close', () => end());
  socket.once(secure ? 'secureConnect' : 'connect', () => end());
}

function tlsTerms(host: string): tls.ConnectionOptions {
  // Addresses are no names (RFC 6066 §3).
  return { ALPNProtocols: [ALPN_HTTP2], ...(net.isIP(host) === 0 && { servername: host }) };
}

function timedOut({ host }: URL): Error {
  return Object.assign(new Error(`no connection to ${host} in time`), { code: 'ETIMEDOUT' });
}

function ignore(): void {
  // What happens to a connection is seen by its session.
}
