import { connect, type TLSSocket } from 'node:tls';
import { waitFor } from './children';

/** A frame as it came (RFC 9113 §4.1). */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const GOAWAY = 7;
export const CONTINUATION = 9;
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** A session spoken frame by frame, for what no client would send. */
export interface FrameSession {
  readonly frames: Frame[];
  send(type: number, flags: number, stream: number, payload?: Buffer): void;
  /** HEADERS of a whole request on the next stream; returns its number. */
  request(fields: ReadonlyArray<readonly [name: string, value: string]>, flags?: number): number;
  /** The first frame that will do; or undefined when the connection was closed before one came. */
  until(wanted: (frame: Frame) => boolean): Promise<Frame | undefined>;
  readonly closed: () => boolean;
  destroy(): void;
}

const open = new Set<TLSSocket>();
afterAll(() => {
  for (const socket of open) socket.destroy();
});

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const SETTINGS = 4;

export async function openFrames(port: number): Promise<FrameSession> {
  const socket = connect({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false });
  open.add(socket);
  const frames: Frame[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let closed = false;
  let stream = -1;
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
    open.delete(socket);
  });
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const end = 9 + rest.readUIntBE(0, 3);
      const [type = 0, flags = 0] = rest.subarray(3, 5);
      frames.push({ type, flags, stream: rest.readUInt32BE(5) & 0x7fffffff, payload: rest.subarray(9, end) });
      rest = rest.subarray(end);
    }
  });
  const session: FrameSession = {
    frames,
    closed: () => closed,
    send(type, flags, id, payload = Buffer.alloc(0)) {
      const head = Buffer.alloc(9);
      head.writeUIntBE(payload.length, 0, 3);
      head.set([type, flags], 3);
      head.writeUInt32BE(id, 5);
      if (!closed) socket.write(Buffer.concat([head, payload]));
    },
    request(fields, flags = END_STREAM | END_HEADERS) {
      stream += 2;
      session.send(HEADERS, flags, stream, fieldBlock(fields));
      return stream;
    },
    until: (wanted) =>
      waitFor('a frame', () => {
        const found = frames.find(wanted);
        return found || closed ? { found } : undefined;
      }).then(({ found }) => found),
    destroy: () => void socket.destroy(),
  };
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  socket.write(PREFACE);
  session.send(SETTINGS, 0, 0);
  return session;
}

/** Literal fields, never indexed and without Huffman coding (RFC 7541 §6.2.3). */
export function fieldBlock(fields: ReadonlyArray<readonly [name: string, value: string]>): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0x10]), literal(name), literal(value)]),
  );
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let left = bytes.length - 127;
  for (; left >= 128; left >>= 7) length.push((left & 127) | 128);
  return Buffer.concat([Buffer.from([...length, left]), bytes]);
}
