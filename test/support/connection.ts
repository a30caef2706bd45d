import { connect, type Socket } from 'node:net';
import { waitFor } from './children';

/** One client connection, spoken on step by step: for what `rawRequest`, which sends first and listens then, cannot tell. */
export interface ClientConnection {
  readonly socket: Socket;
  /** Everything that has come so far, as latin1 text. */
  received(): string;
  /** Hands the bytes (a string is latin1) to the kernel. */
  send(bytes: string | Buffer): Promise<void>;
  /** Everything received, as soon as it contains this. */
  until(part: string | RegExp): Promise<string>;
  /** How the other side ended it: `end` by FIN, `reset` by RST. */
  readonly closed: Promise<'end' | 'reset'>;
  /** Ends it without a word (idempotent). */
  destroy(): void;
}

export interface ConnectionOptions {
  /** Answers the other side's FIN with ours, as most clients do (the default). */
  halfOpen?: boolean;
  /** Reads nothing until `socket.resume()` is called. */
  paused?: boolean;
}

const open = new Set<Socket>();

// Whatever a failed test leaves open.
afterAll(() => {
  for (const socket of open) socket.destroy();
});

/** Connects to a loopback port. */
export async function openConnection(
  port: number,
  options: ConnectionOptions = {},
): Promise<ClientConnection> {
  const chunks: Buffer[] = [];
  let kept = 0;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: options.halfOpen ?? false });
  open.add(socket);
  socket.setNoDelay(true);
  const closed = new Promise<'end' | 'reset'>((resolve) => {
    let reset = false;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reset ||= error.code === 'ECONNRESET' || error.code === 'EPIPE';
    });
    socket.on('close', () => {
      open.delete(socket);
      resolve(reset ? 'reset' : 'end');
    });
  });
  if (!options.paused) {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      kept += chunk.length;
    });
  }
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const received = (): string => Buffer.concat(chunks, kept).toString('latin1');
  return {
    socket,
    received,
    closed,
    send: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, (error) =>
          error ? reject(error) : resolve(),
        );
      }),
    until: (part) =>
      waitFor(
        `${String(part)} in ${JSON.stringify(received().slice(-500))}`,
        () => {
          const text = received();
          const found = typeof part === 'string' ? text.includes(part) : part.test(text);
          return found ? text : undefined;
        },
        5000,
        2,
      ),
    destroy: () => void socket.destroy(),
  };
}

/**
 * The bytes of a request's head.
 * @param line method and target, and the version if it is not HTTP/1.1
 */
export function requestHead(line: string, fields: Record<string, string | number> = {}): string {
  const start = / HTTP\/\d\.\d$/.test(line) ? line : `${line} HTTP/1.1`;
  const lines = Object.entries({ Host: 'gateway.test', ...fields }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return [start, ...lines, '', ''].join('\r\n');
}

/** The value as soon as it has stayed the same, above zero, for a while: what was going to happen has happened. */
export async function settled(value: () => number, quietMs = 300): Promise<number> {
  let last = -1;
  let since = Date.now();
  return waitFor(
    'a value that stays',
    () => {
      if (value() !== last) since = Date.now();
      last = value();
      return Date.now() - since > quietMs ? last : 0;
    },
    10_000,
  );
}
