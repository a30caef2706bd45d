import type { EventEmitter } from 'node:events';
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Server } from 'node:http';
import { BridgedSocket, type SessionPeer } from './bridged-socket';
import { CarriedStream, type Outcome } from './carried-stream';
import { EventBudget } from './event-budget';
import { MalformedRequest, bridgedHead, type BridgedHead } from './request-head';

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } = constants;

/** Sockets kept for the next streams of a session; under full load the others are made anew. */
const MAX_IDLE_SOCKETS = 16;
/** A page that is left cancels what it was loading; more than that, again and again, is rapid reset (CVE-2023-44487). */
const RESETS = { burst: 200, perSecond: 33 };
/** PING and SETTINGS must be answered (CVE-2019-9512, CVE-2019-9515); real clients send one every few seconds. */
const CONTROL_FRAMES = { burst: 100, perSecond: 10 };
/** A part of the smallest window that clients have in practice (64 KiB, RFC 9113 §6.5.2). */
const AT_ONCE_BYTES = 16_384;
/** The highest stream there can be: nothing that is on its way is refused (RFC 9113 §6.8). */
const LAST_STREAM = 2 ** 31 - 1;

/** What a session needs from its door. */
export interface SessionTerms {
  readonly http: Server;
  readonly draining: () => boolean;
  /** How long a client may leave unread what is here for it, milliseconds. */
  readonly readTimeoutMs: number;
  /** Told when the client is sent away for what it did. */
  readonly misbehaved: (address: string | undefined, what: string) => void;
}

/** One client's HTTP/2 connection: each of its streams becomes an exchange with the HTTP/1.1 server. */
export class OpenSession {
  private readonly idle: BridgedSocket[] = [];
  private readonly resets: EventBudget;
  private readonly controlFrames: EventBudget;
  /** Streams with a request that is not over. */
  private active = 0;
  private noticed = false;
  private atOnceBytes = 0;

  constructor(
    private readonly session: ServerHttp2Session,
    private readonly peer: SessionPeer,
    private readonly terms: SessionTerms,
  ) {
    const now = performance.now();
    this.resets = new EventBudget(RESETS.burst, RESETS.perSecond, now);
    this.controlFrames = new EventBudget(CONTROL_FRAMES.burst, CONTROL_FRAMES.perSecond, now);
    // The fields as they came, which the types leave out: the object before them has lost their order.
    (session as EventEmitter).on(
      'stream',
      (stream: ServerHttp2Stream, _: object, flags: number, raw: string[]) => {
        this.enter(stream, raw, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0);
      },
    );
    session.on('ping', () => this.countControlFrame('PING'));
    session.on('remoteSettings', ({ initialWindowSize = 0 }) => {
      this.atOnceBytes = initialWindowSize < AT_ONCE_BYTES ? 0 : AT_ONCE_BYTES;
      this.countControlFrame('SETTINGS');
    });
    session.on('error', () => session.destroy());
    session.on('close', () => {
      for (const socket of this.idle) socket.destroy();
    });
  }

  /** Closes the session if nothing is under way on it. */
  closeIfIdle(): void {
    if (this.active === 0 && !this.session.destroyed) this.session.close();
  }

  /** Tells the client to open no more streams, and closes once those that are open are over. */
  closeGracefully(): void {
    if (!this.session.destroyed) this.session.close();
  }

  private enter(stream: ServerHttp2Stream, raw: readonly string[], ended: boolean): void {
    stream.on('error', ignore);
    // Reset by the very bytes that brought it: nobody need hear of it.
    if (stream.destroyed || stream.closed) return this.countReset();
    let head: BridgedHead;
    try {
      head = bridgedHead(raw, ended);
    } catch (error) {
      if (!(error instanceof MalformedRequest)) throw error;
      stream.close(NGHTTP2_PROTOCOL_ERROR);
      return this.countReset();
    }
    this.active += 1;
    const socket = this.socket();
    const leave = (outcome: Outcome, carried: CarriedStream): void => this.leave(outcome, carried, socket);
    const bounds = { atOnceBytes: this.atOnceBytes, readTimeoutMs: this.terms.readTimeoutMs };
    new CarriedStream(stream, socket, head, bounds, leave).start();
  }

  private leave(outcome: Outcome, carried: CarriedStream, socket: BridgedSocket): void {
    this.active -= 1;
    if (outcome === 'reset') this.countReset();
    if (this.terms.draining()) this.notice();
    const reusable = outcome === 'delivered' && carried.complete && !carried.last && !socket.destroyed;
    if (reusable && this.idle.length < MAX_IDLE_SOCKETS && !this.session.destroyed) this.idle.push(socket);
    else if (!carried.last || outcome !== 'delivered') socket.destroy();
  }

  /** A connection to our own server, used before or new. */
  private socket(): BridgedSocket {
    for (let socket = this.idle.pop(); socket; socket = this.idle.pop()) {
      if (socket.isFree) return socket;
      socket.destroy();
    }
    const socket = new BridgedSocket(this.peer);
    this.terms.http.emit('connection', socket);
    return socket;
  }

  /** The other half of a graceful end: "no more, please", before anything is refused. */
  private notice(): void {
    if (this.noticed || this.session.destroyed || this.session.closed) return;
    this.noticed = true;
    this.session.goaway(NGHTTP2_NO_ERROR, LAST_STREAM);
  }

  private countReset(): void {
    if (!this.resets.spend(performance.now())) this.sendAway('stream resets');
  }

  private countControlFrame(kind: string): void {
    if (!this.controlFrames.spend(performance.now())) this.sendAway(kind);
  }

  private sendAway(what: string): void {
    if (this.session.destroyed) return;
    this.terms.misbehaved(this.peer.remoteAddress, what);
    this.session.destroy(NGHTTP2_ENHANCE_YOUR_CALM as unknown as Error);
  }
}

function ignore(): void {
  // What happens to a stream is seen by its `close`.
}
