import { constants, type ServerHttp2Stream } from 'node:http2';
import { RpcCall } from '#libs/grpc';
import type { BridgedSocket, Carried } from './bridged-socket';
import type { BridgedHead } from './request-head';
import { http2Head, http2Trailers } from './response-head';
import { ResponseReader, type ResponseEvents } from './response-reader';

type Done = (error?: Error | null) => void;

/** How an exchange ended: with a whole response at the client, by the client, or by us. */
export type Outcome = 'delivered' | 'reset' | 'broken';

const { NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } = constants;
const CONTINUE = 100;
const RESET_CONTENT = 205;
/** Of a session, waiting for their turn; those of bodies are not among them. */
const MAX_WAITING_FRAMES = 100;
/** Of the time that clients have to read; those who watch over one response (slow-reader.ts) come first, and say why. */
const PATIENCE = 2;
/** So much is read in that time. */
const READ_AT_A_TIME_BYTES = 65_536;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const CHUNK_END = Buffer.from('\r\n');
const BODY_END = Buffer.from('0\r\n\r\n');

/**
 * One exchange between a stream of HTTP/2 and a bridged socket, streamed both ways with back-pressure.
 * The server learns that its response is out only when all of it has left for the client; where the stream was reset
 * before, it learns that its client has gone. What breaks off there is reset here, never ended.
 */
export class CarriedStream implements Carried, ResponseEvents {
  private readonly reader: ResponseReader;
  private received = 0;
  private requestOver: boolean;
  private responseOver = false;
  /** The end goes with something else, a head or trailers: that all of it has left is seen by the stream's `close`. */
  private endsByItself = false;
  private withTrailers = false;
  /** Bytes of the body. */
  private sent = 0;
  private discarding = false;
  private settled = false;
  /** Pieces of the body that the bytes under way have brought. */
  private pieces: Buffer[] = [];
  private trailers: readonly string[] = [];
  /** Tells the server that its last bytes have left. */
  private acknowledge: Done | undefined;
  /** Runs while something waits for its client to read it. */
  private patience: NodeJS.Timeout | undefined;
  /** The server closes the connection after this response. */
  last = false;

  /**
   * @param bounds atOnceBytes: what fits the client's window for a stream; readTimeoutMs: how long a client may leave unread
   *   what is here for it.
   * @param over called once.
   */
  constructor(
    private readonly stream: ServerHttp2Stream,
    private readonly socket: BridgedSocket,
    private readonly asked: BridgedHead,
    private readonly bounds: { readonly atOnceBytes: number; readonly readTimeoutMs: number },
    private readonly over: (outcome: Outcome, carried: CarriedStream) => void,
  ) {
    this.reader = new ResponseReader(asked.method, this);
    this.requestOver = !asked.hasBody;
  }

  /** Whether the request has come in whole. */
  get complete(): boolean {
    return this.requestOver;
  }

  start(): void {
    const { stream, socket } = this;
    socket.carried = this;
    socket.rpc = this.asked.grpc ? new RpcCall(this.asked.grpcTimeoutMs) : undefined;
    stream.on('close', () => this.closed());
    if (this.requestOver) stream.resume();
    else {
      stream.on('data', (chunk: Buffer) => this.receive(chunk));
      stream.on('end', () => this.receiveEnd());
    }
    socket.push(Buffer.from(this.asked.text, 'latin1'));
  }

  resume(): void {
    if (!this.requestOver) this.stream.resume();
  }

  private receive(chunk: Buffer): void {
    const { socket, asked } = this;
    if (this.settled || socket.destroyed) return;
    this.received += chunk.length;
    socket.bytesRead += chunk.length;
    if (asked.contentLength !== undefined && this.received > asked.contentLength) return this.refuse();
    // A chunk of size zero would be the end.
    if (chunk.length === 0) return;
    if (asked.chunked) socket.push(Buffer.from(`${chunk.length.toString(16)}\r\n`, 'latin1'));
    let more = socket.push(chunk);
    if (asked.chunked) more = socket.push(CHUNK_END);
    if (!more) this.stream.pause();
  }

  private receiveEnd(): void {
    const { stream, socket, asked } = this;
    if (this.settled || socket.destroyed) return;
    // A stream that its client resets "without error" ends in the same way; it was not whole.
    if (stream.closed && !this.responseOver) return;
    if (asked.contentLength !== undefined && this.received !== asked.contentLength) return this.refuse();
    this.requestOver = true;
    // Trailers are left out, as those of HTTP/1.1 are: no guard has judged them.
    if (asked.chunked) socket.push(BODY_END);
  }

  /** The body is not what its length said (RFC 9113 §8.1.1). */
  private refuse(): void {
    if (this.stream.headersSent) breakOff(this.stream);
    else this.stream.close(NGHTTP2_PROTOCOL_ERROR);
  }

  respond(chunks: Buffer[], done: Done): void {
    const { stream } = this;
    if (stream.destroyed || stream.closed) return void this.socket.destroy();
    try {
      for (const chunk of chunks) this.reader.read(chunk);
      this.write(done);
    } catch {
      // Something that HTTP/2 cannot say.
      this.socket.destroy();
    }
  }

  interim(status: number, fields: readonly string[]): void {
    const { stream } = this;
    // What is only hinted at does not pile up for a client that does not read; for 100 it waits.
    if (status !== CONTINUE && (stream.session?.state.outboundQueueSize ?? 0) > MAX_WAITING_FRAMES) return;
    stream.additionalHeaders(http2Head(status, fields).headers);
  }

  head(status: number, fields: readonly string[], bodiless: boolean): void {
    const { headers, last, chunked } = http2Head(status, fields);
    this.last = last;
    // Node ends a stream with this status at once; a body is as unwelcome as for HTTP/1.1 clients (RFC 9110 §15.3.6).
    this.discarding = status === RESET_CONTENT;
    const waitForTrailers = chunked && !bodiless && !this.discarding && this.asked.wantsTrailers;
    const endStream = bodiless || this.discarding;
    // A head that is all there is says so by itself, and to gRPC it is trailers.
    if (endStream && this.asked.grpc) delete headers['content-length'];
    this.withTrailers = waitForTrailers;
    this.endsByItself = endStream || waitForTrailers;
    if (waitForTrailers) this.stream.once('wantTrailers', () => this.sendTrailers());
    this.stream.respond(headers, { endStream, waitForTrailers });
  }

  data(chunk: Buffer): void {
    if (!this.discarding) this.pieces.push(chunk);
  }

  end(trailers: readonly string[]): void {
    this.responseOver = true;
    this.trailers = trailers;
  }

  private write(done: Done): void {
    const { pieces } = this;
    this.pieces = [];
    const lastPiece = pieces.pop();
    for (const { length } of pieces) this.sent += length;
    this.sent += lastPiece?.length ?? 0;
    this.awaitReader(pieces, lastPiece);
    if (this.responseOver) {
      this.acknowledge = done;
      if (this.sent <= this.bounds.atOnceBytes) this.finish(pieces, lastPiece);
      else this.send(pieces, lastPiece, () => this.finishSent());
    } else
      this.send(pieces, lastPiece, () => {
        clearTimeout(this.patience);
        done();
      });
  }

  /**
   * Whoever opens no window would keep its place for ever: to the server a small response is done with when it is written.
   * How far a client has come with a large piece is not to be seen, so it gets its time for each part.
   */
  private awaitReader(pieces: readonly Buffer[], lastPiece: Buffer | undefined): void {
    const bytes = pieces.reduce((sum, { length }) => sum + length, lastPiece?.length ?? 0);
    const parts = Math.max(1, Math.ceil(bytes / READ_AT_A_TIME_BYTES));
    const ms = PATIENCE * this.bounds.readTimeoutMs * parts;
    this.patience = setTimeout(() => this.abandoned(), Math.min(ms, LONGEST_TIMER_MS)).unref();
  }

  /** @param left called when the bytes have left, and not when the stream is closed before: `closed` follows then. */
  private send(pieces: readonly Buffer[], lastPiece: Buffer | undefined, left: () => void): void {
    const { stream } = this;
    if (lastPiece === undefined) return left();
    stream.cork();
    for (const piece of pieces) stream.write(piece);
    // Node calls back without an error also where it has thrown the bytes away.
    stream.write(lastPiece, () => stream.destroyed || stream.closed || left());
    stream.uncork();
  }

  /**
   * A small response fits the client's window: its end goes with its last bytes, and when both have left the stream is
   * closed. (Node destroys it then, before it says that anything was written.)
   */
  private finish(pieces: readonly Buffer[], lastPiece: Buffer | undefined): void {
    const { stream } = this;
    this.endsByItself = true;
    if (!stream.writableEnded) {
      stream.cork();
      for (const piece of pieces) stream.write(piece);
      stream.end(lastPiece);
    }
    // The server will not read what is left of the request (RFC 9113 §8.1). Behind what has been written.
    if (!this.requestOver && !this.withTrailers) stream.close(NGHTTP2_NO_ERROR);
  }

  /** A larger one may wait for the client to read it, so the end goes by itself, when everything else has gone. */
  private finishSent(): void {
    if (!this.withTrailers) this.deliver();
    if (!this.stream.writableEnded) this.stream.end();
    if (!this.requestOver && !this.withTrailers) this.stream.close(NGHTTP2_NO_ERROR);
  }

  private sendTrailers(): void {
    this.stream.sendTrailers(http2Trailers(this.trailers));
  }

  /** All of the response has left. */
  private deliver(): void {
    if (this.settled) return;
    this.settle();
    this.socket.carried = undefined;
    this.acknowledge?.();
    if (!this.requestOver) this.socket.destroy();
    this.over('delivered', this);
  }

  private closed(): void {
    if (this.settled) return;
    if (this.acknowledge && this.endsByItself && this.stream.rstCode === NGHTTP2_NO_ERROR)
      return this.deliver();
    this.settle();
    this.socket.destroy();
    this.over('reset', this);
  }

  private settle(): void {
    this.settled = true;
    clearTimeout(this.patience);
  }

  abandoned(): void {
    if (this.settled) return;
    this.settle();
    breakOff(this.stream);
    this.socket.destroy();
    this.over('broken', this);
  }
}

/** `close` with an error would end the stream first, and what was torn would look whole; `destroy` resets it only. */
function breakOff(stream: ServerHttp2Stream): void {
  stream.destroy(new Error('broken off'));
}
