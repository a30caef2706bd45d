import * as zlib from 'node:zlib';
import type { Transform } from 'node:stream';
import type { Coding } from '#libs/tenants';

/** A response's body on its way through an encoder. */
export interface CodedBody {
  /** The head leaves with the body, by the sink; else it has to be written before. */
  readonly holdsHead: boolean;
  /** @returns false if nothing more is wanted until the sink's `drained`. */
  write(chunk: Buffer): boolean;
  /** All of the body is here. The sink's `end` follows. */
  end(): void;
  /** The client can take more. */
  resume(): void;
  /** Nothing will come of it: client or upstream have gone. Called again, or after the end, it changes nothing. */
  destroy(): void;
}

/** Where an encoded body goes. */
export interface BodySink {
  /** Sends a head that was held back, as its list of headers is by then. */
  writeHead(): void;
  /** @returns false if the client cannot take more for now. */
  write(bytes: Buffer): boolean;
  /** The response is complete, with these bytes as the last. */
  end(bytes?: Buffer): void;
  /** More of the body may come. */
  drained(): void;
  /** The body cannot be encoded, and part of it may be out. */
  failed(error: Error): void;
}

/** How to encode one body. */
export interface Encoding {
  readonly coding: Coding;
  readonly level: number;
  /** Of the body, where it is known. */
  readonly length: number;
}

interface Encoder extends Transform {
  flush(kind: number): void;
}

/** zstd came with Node.js 22.15, and its types later than ours. */
interface ZlibWithZstd {
  createZstdCompress?(options: object): Encoder;
  zstdCompress?(body: Buffer, options: object, done: Compressed): void;
  constants: Record<string, number>;
}

type Compressed = (error: Error | null, bytes: Buffer) => void;

const withZstd = zlib as unknown as ZlibWithZstd;
/** 256 KiB are looked back into: an encoder of brotli then takes about a megabyte, not ten. */
const BROTLI_WINDOW_BITS = 18;
/** Between two flushes at the most, so that a stream that never pauses is not held back either. */
const FLUSH_AFTER_BYTES = 262_144;

/** A body of any length, streamed with back-pressure both ways. */
export class StreamedBody implements CodedBody {
  readonly holdsHead = false;
  private readonly encoder: Encoder;
  private readonly flushKind: number;
  private over = false;
  private before = 0;
  private after = 0;
  /** Since the last flush. */
  private unflushed = 0;
  private waiting = false;
  private seen = 0;

  /** @param done called once, with the bytes before and after, or without them if the body was given up. */
  constructor(
    { coding, level, length }: Encoding,
    private readonly sink: BodySink,
    private readonly done: (before?: number, after?: number) => void,
  ) {
    [this.encoder, this.flushKind] = encoderOf(coding, level, length);
    this.encoder.on('data', (bytes: Buffer) => {
      this.after += bytes.length;
      if (!this.sink.write(bytes)) this.encoder.pause();
    });
    this.encoder.on('drain', () => this.sink.drained());
    this.encoder.on('end', () => {
      if (this.finish()) this.done(this.before, this.after);
      this.sink.end();
    });
    this.encoder.on('error', (error) => {
      if (!this.finish()) return;
      this.done();
      this.sink.failed(error);
    });
  }

  write(chunk: Buffer): boolean {
    this.before += chunk.length;
    this.unflushed += chunk.length;
    const more = this.encoder.write(chunk);
    if (this.unflushed >= FLUSH_AFTER_BYTES) this.flush();
    else if (!this.waiting) {
      this.waiting = true;
      this.seen = 0;
      setImmediate(flushWhenQuiet, this);
    }
    return more;
  }

  end(): void {
    this.encoder.end();
  }

  resume(): void {
    this.encoder.resume();
  }

  destroy(): void {
    if (!this.finish()) return;
    this.encoder.destroy();
    this.done();
  }

  /** What came goes out when a turn has passed in which nothing more came: an encoder would keep it until it is full. */
  flushIfQuiet(): void {
    this.waiting = false;
    if (this.over || this.encoder.writableEnded || this.unflushed === 0) return;
    if (this.seen === this.before) return this.flush();
    this.seen = this.before;
    this.waiting = true;
    setImmediate(flushWhenQuiet, this);
  }

  private flush(): void {
    this.unflushed = 0;
    this.encoder.flush(this.flushKind);
  }

  private finish(): boolean {
    if (this.over) return false;
    this.over = true;
    return true;
  }
}

function flushWhenQuiet(body: StreamedBody): void {
  body.flushIfQuiet();
}

/** A short body, encoded in one call when all of it is here. If that makes it no shorter it leaves as it is. */
export class WholeBody implements CodedBody {
  readonly holdsHead = true;
  private readonly chunks: Buffer[] = [];
  private over = false;

  /**
   * @param encoded called when the body has become shorter, before the head is sent.
   * @param done as that of `StreamedBody`.
   */
  constructor(
    private readonly encoding: Encoding,
    private readonly sink: BodySink,
    private readonly encoded: (length: number) => void,
    private readonly done: (before?: number, after?: number) => void,
  ) {}

  write(chunk: Buffer): boolean {
    this.chunks.push(chunk);
    return true;
  }

  end(): void {
    const body = this.chunks.length === 1 ? (this.chunks[0] as Buffer) : Buffer.concat(this.chunks);
    compress(this.encoding, body, (error, bytes) => {
      if (this.over) return;
      this.over = true;
      const shorter = !error && bytes.length < body.length;
      if (shorter) this.encoded(bytes.length);
      if (shorter) this.done(body.length, bytes.length);
      else this.done();
      this.sink.writeHead();
      this.sink.end(shorter ? bytes : body);
    });
  }

  resume(): void {
    // Nothing has been written yet.
  }

  destroy(): void {
    if (this.over) return;
    this.over = true;
    this.done();
  }
}

function encoderOf(coding: Coding, level: number, length: number): [Encoder, flushKind: number] {
  const { constants } = zlib;
  if (coding === 'gzip') return [zlib.createGzip({ level }), constants.Z_SYNC_FLUSH];
  if (coding === 'br')
    return [zlib.createBrotliCompress(brotliOptions(level, length)), constants.BROTLI_OPERATION_FLUSH];
  const encoder = withZstd.createZstdCompress?.(zstdOptions(level));
  if (!encoder) throw new Error('this Node.js has no zstd');
  return [encoder, withZstd.constants.ZSTD_e_flush ?? 1];
}

/** On the thread pool of libuv, so that other requests go on meanwhile. */
function compress({ coding, level }: Encoding, body: Buffer, done: Compressed): void {
  if (coding === 'gzip') zlib.gzip(body, { level }, done);
  else if (coding === 'br') zlib.brotliCompress(body, brotliOptions(level, body.length), done);
  else if (withZstd.zstdCompress) withZstd.zstdCompress(body, zstdOptions(level), done);
  else done(new Error('this Node.js has no zstd'), body);
}

function brotliOptions(level: number, length: number): zlib.BrotliOptions {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = zlib.constants;
  return {
    params: {
      [BROTLI_PARAM_QUALITY]: level,
      [BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
      [BROTLI_PARAM_SIZE_HINT]: Math.min(Math.max(length, 0), 2 ** 31 - 1),
    },
  };
}

function zstdOptions(level: number): object {
  const { ZSTD_c_compressionLevel = 100 } = withZstd.constants;
  return { params: { [ZSTD_c_compressionLevel]: level } };
}
