import { connect, type ClientHttp2Session, type Settings } from 'node:http2';
import type { Socket } from 'node:net';
import { http2Request } from './http2-fields';
import { SilentUpstream } from './upstream-reset';
import type { CallCarrier, Http2Call } from './http2-call';

/** Told by a session. */
export interface SessionListener {
  /** There may be room for another stream. */
  room(): void;
  /** It takes no more streams, or is closed. */
  gone(session: UpstreamSession): void;
}

/** Streams that a server takes at least until it says otherwise (RFC 9113 §6.5.2 recommends no less). */
export const ASSUMED_STREAMS = 100;
/** Of a server that names no bound, or a large one. */
const MAX_STREAMS = 250;
/** As the door has it (http2/http2-door.ts). Node gives the connection's window back at once, so a slow reader holds up its own stream only. */
const STREAM_WINDOW_BYTES = 262_144;
const CONNECTION_WINDOW_BYTES = 4_194_304;
/** What Node may hold of a session's frames, in MiB; with its default of 10 it refuses streams of a busy one. */
const MAX_SESSION_MIB = 64;
/** Servers announce that they close (GOAWAY), so that unlike with HTTP/1.1 there is no hurry. */
const IDLE_MS = 60_000;
/**
 * A session with open streams that has been silent for so long is asked whether it is alive. Servers of gRPC take a client
 * that asks more often for a nuisance, and close (gRFC A8).
 */
const SILENCE_MS = 300_000;
/** How long an answer to a PING may take; and how soon after it there may be another. */
const PING_TIMEOUT_MS = 10_000;
const PING_PAUSE_MS = 30_000;

/** One connection of HTTP/2 to an upstream. */
export class UpstreamSession implements CallCarrier {
  lastStreamId = Infinity;
  error: Error | undefined;
  private readonly session: ClientHttp2Session;
  private readonly scheme: 'http' | 'https';
  private streams = 0;
  private maxStreams = ASSUMED_STREAMS;
  private idleSince = performance.now();
  /** Bytes received, and when there were more than before. */
  private heard = 0;
  private heardAt = performance.now();
  private pinged: NodeJS.Timeout | undefined;
  private pingedAt = -Infinity;

  constructor(
    private readonly origin: URL,
    private readonly socket: Socket,
    private readonly listener: SessionListener,
  ) {
    this.scheme = origin.protocol === 'https:' ? 'https' : 'http';
    const session = connect(origin, {
      createConnection: () => socket,
      maxSessionMemory: MAX_SESSION_MIB,
      peerMaxConcurrentStreams: ASSUMED_STREAMS,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
    });
    this.session = session;
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    session.on('remoteSettings', ({ maxConcurrentStreams = MAX_STREAMS }: Settings) => {
      this.maxStreams = Math.min(MAX_STREAMS, maxConcurrentStreams);
      listener.room();
    });
    // Before Node closes the session, which it does by itself.
    session.on('goaway', (_code, lastStreamId: number) => {
      this.lastStreamId = lastStreamId;
      listener.gone(this);
    });
    session.on('error', (error: Error) => (this.error = error));
    session.on('close', () => {
      clearTimeout(this.pinged);
      listener.gone(this);
    });
  }

  get hasRoom(): boolean {
    return this.streams < this.maxStreams && !this.session.closed && !this.session.destroyed;
  }

  get isClosed(): boolean {
    return this.session.destroyed;
  }

  open(call: Http2Call): void {
    const { method, path, headers } = call.request;
    const { session, scheme } = this;
    const stream = call.begin(this, (endStream) => {
      const line = { method, path, scheme, authority: this.origin.host };
      return session.request(http2Request(line, headers), { endStream });
    });
    if (!stream) return;
    this.streams += 1;
    stream.once('close', () => this.left());
  }

  /** Looks, every few seconds, whether it is still needed and still alive. */
  look(now: number): void {
    if (this.socket.bytesRead !== this.heard) {
      this.heard = this.socket.bytesRead;
      this.heardAt = now;
    }
    if (this.streams === 0) {
      if (now - this.idleSince >= IDLE_MS) this.close();
    } else if (now - this.heardAt >= SILENCE_MS) this.ping(now);
  }

  /** A connection without anybody at its end would take one request after the other, and lose it. */
  doubt(since: number): void {
    const now = performance.now();
    this.look(now);
    if (this.heardAt <= since) this.ping(now);
  }

  /** No more streams; it closes when those that are open have ended. */
  close(): void {
    if (!this.session.destroyed) this.session.close();
  }

  destroy(error: Error): Promise<void> {
    this.error ??= error;
    if (this.session.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.session.once('close', resolve);
      this.session.destroy();
    });
  }

  private left(): void {
    this.streams -= 1;
    if (this.streams === 0) this.idleSince = performance.now();
    this.listener.room();
  }

  private ping(now: number): void {
    if (this.pinged || now - this.pingedAt < PING_PAUSE_MS || this.session.destroyed) return;
    this.pingedAt = now;
    this.pinged = setTimeout(() => {
      void this.destroy(new SilentUpstream());
    }, PING_TIMEOUT_MS).unref();
    this.session.ping(() => {
      clearTimeout(this.pinged);
      this.pinged = undefined;
    });
  }
}
