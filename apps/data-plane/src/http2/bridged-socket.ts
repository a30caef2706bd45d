import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { RpcCall } from '#libs/grpc';

/** Who is at the other end of an HTTP/2 session. */
export interface SessionPeer {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** Whether the session is inside TLS. */
  readonly encrypted: boolean;
}

/** What a bridged socket carries at the moment. */
export interface Carried {
  /** More of the request may come. */
  resume(): void;
  /** Bytes that the server has written. */
  respond(chunks: Buffer[], done: (error?: Error | null) => void): void;
  /** The server has ended or destroyed its side. */
  abandoned(): void;
}

/**
 * A connection without a network, between a stream of HTTP/2 and our own HTTP/1.1 server. What the server writes counts as
 * written when it has left for the client: `carried` holds back the last acknowledgement until then.
 */
export class BridgedSocket extends Duplex {
  /** By which the server knows that it is asked by https; not there at all otherwise. */
  declare readonly encrypted?: true;
  /** For the access log. */
  readonly protocol = 'HTTP/2.0';
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** Of bodies, for those who see that they get on. */
  bytesRead = 0;
  carried: Carried | undefined = undefined;
  /** What is being asked is a call of gRPC. */
  rpc: RpcCall | undefined = undefined;

  constructor({ remoteAddress, remotePort, encrypted }: SessionPeer) {
    super({ allowHalfOpen: true });
    if (encrypted) this.encrypted = true;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  override _read(): void {
    this.carried?.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.handOn([chunk], done);
  }

  override _writev(chunks: Array<{ chunk: Buffer }>, done: (error?: Error | null) => void): void {
    this.handOn(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: () => void): void {
    this.carried?.abandoned();
    done();
  }

  override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
    this.carried?.abandoned();
    done(null);
  }

  /** Whether the server is through with the last exchange and waits for another. */
  get isFree(): boolean {
    // Node's name for the response that is under way.
    const { _httpMessage } = this as { _httpMessage?: object | null };
    return !this.destroyed && !this.writableEnded && this.carried === undefined && !_httpMessage;
  }

  // What servers ask of a socket. Time-outs are the session's business.
  setTimeout(): this {
    return this;
  }

  destroySoon(): void {
    Socket.prototype.destroySoon.call(this as unknown as Socket);
  }

  resetAndDestroy(): void {
    this.destroy();
  }

  private handOn(chunks: Buffer[], done: (error?: Error | null) => void): void {
    if (this.carried) this.carried.respond(chunks, done);
    // Node ends a response with an empty write, which may come behind the acknowledgement.
    else if (chunks.every(({ length }) => length === 0)) done();
    else done(new Error('there is nobody to write to'));
  }
}
