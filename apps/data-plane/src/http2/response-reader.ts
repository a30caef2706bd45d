/** What a reader finds in the bytes of a response, in this order. */
export interface ResponseEvents {
  /** A head with a status below 200. Others follow. */
  interim(status: number, fields: readonly string[]): void;
  /** @param fields flat: name, value, name, value, … */
  head(status: number, fields: readonly string[], bodiless: boolean): void;
  data(chunk: Buffer): void;
  /** The response is whole. */
  end(trailers: readonly string[]): void;
}

const enum State {
  Head,
  Body,
  ChunkSize,
  ChunkData,
  ChunkEnd,
  Trailers,
  Done,
}

const LINE_END = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');
const NONE = Buffer.alloc(0);
/** Our own server writes heads in one piece; more than this without an end is none of its. */
const MAX_HEAD_BYTES = 1_048_576;

/**
 * Takes a response apart that our own HTTP/1.1 server has written. Strict all the same: what it does not understand is
 * an error, never a guess about where the body ends.
 */
export class ResponseReader {
  private state = State.Head;
  private rest: Buffer = NONE;
  /** Bytes of the body or of the chunk that are still to come. */
  private missing = 0;

  /** @param method of the request: a response to HEAD has no body. */
  constructor(
    private readonly method: string,
    private readonly events: ResponseEvents,
  ) {}

  get done(): boolean {
    return this.state === State.Done;
  }

  /** @throws Error for what is no response. */
  read(bytes: Buffer): void {
    let left = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    this.rest = NONE;
    while (left.length > 0) {
      const next = this.step(left);
      if (next === undefined) {
        if (left.length > MAX_HEAD_BYTES) throw new Error('a head without an end');
        this.rest = left;
        return;
      }
      left = next;
    }
  }

  /** Takes what it can from the front. Returns what is left, or undefined when more bytes are needed. */
  private step(bytes: Buffer): Buffer | undefined {
    switch (this.state) {
      case State.Head:
        return this.readHead(bytes);
      case State.Body:
      case State.ChunkData:
        return this.readData(bytes);
      case State.ChunkSize:
        return this.readChunkSize(bytes);
      case State.ChunkEnd:
        return this.readChunkEnd(bytes);
      case State.Trailers:
        return this.readTrailers(bytes);
      case State.Done:
        throw new Error('bytes behind the response');
    }
  }

  private readHead(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return undefined;
    const lines = bytes.toString('latin1', 0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 ([1-9]\d\d)(?: |$)/.exec(lines[0] as string)?.[1] ?? NaN);
    if (Number.isNaN(status) || status === 101) throw new Error('no status line');
    const fields = fieldsOf(lines, 1);
    if (status < 200) this.events.interim(status, fields);
    else this.begin(status, fields);
    return bytes.subarray(end + HEAD_END.length);
  }

  private begin(status: number, fields: readonly string[]): void {
    const bodiless = this.method === 'HEAD' || status === 204 || status === 304;
    let length: number | undefined;
    let chunked = false;
    for (let i = 0; i < fields.length; i += 2) {
      const name = (fields[i] as string).toLowerCase();
      if (name === 'content-length') length = Number(fields[i + 1]);
      else if (name === 'transfer-encoding') chunked = (fields[i + 1] as string).toLowerCase() === 'chunked';
    }
    if (!bodiless && !chunked && !Number.isSafeInteger(length)) throw new Error('a body of unknown length');
    const empty = bodiless || (!chunked && length === 0);
    this.events.head(status, fields, empty);
    if (empty) this.finish([]);
    else if (chunked) this.state = State.ChunkSize;
    else {
      this.missing = length as number;
      this.state = State.Body;
    }
  }

  private readData(bytes: Buffer): Buffer {
    const part = bytes.length > this.missing ? bytes.subarray(0, this.missing) : bytes;
    this.missing -= part.length;
    this.events.data(part);
    if (this.missing === 0) {
      if (this.state === State.Body) this.finish([]);
      else this.state = State.ChunkEnd;
    }
    return bytes.subarray(part.length);
  }

  private readChunkSize(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(LINE_END);
    if (end < 0) return undefined;
    const line = bytes.toString('latin1', 0, end);
    if (!/^[0-9a-fA-F]{1,12}$/.test(line)) throw new Error('no chunk size');
    this.missing = parseInt(line, 16);
    this.state = this.missing === 0 ? State.Trailers : State.ChunkData;
    return bytes.subarray(end + LINE_END.length);
  }

  private readChunkEnd(bytes: Buffer): Buffer | undefined {
    if (bytes.length < LINE_END.length) return undefined;
    if (bytes[0] !== 0x0d || bytes[1] !== 0x0a) throw new Error('a chunk without an end');
    this.state = State.ChunkSize;
    return bytes.subarray(LINE_END.length);
  }

  private readTrailers(bytes: Buffer): Buffer | undefined {
    if (bytes.length < LINE_END.length) return undefined;
    if (bytes[0] === 0x0d && bytes[1] === 0x0a) {
      this.finish([]);
      return bytes.subarray(LINE_END.length);
    }
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return undefined;
    this.finish(fieldsOf(bytes.toString('latin1', 0, end).split('\r\n'), 0));
    return bytes.subarray(end + HEAD_END.length);
  }

  private finish(trailers: readonly string[]): void {
    this.state = State.Done;
    this.events.end(trailers);
  }
}

function fieldsOf(lines: readonly string[], from: number): string[] {
  const fields: string[] = [];
  for (let i = from; i < lines.length; i++) {
    const line = lines[i] as string;
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error('a line that is no field');
    fields.push(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return fields;
}
