import { connect } from 'node:net';

export interface RawRequestOptions {
  host?: string;
  /** The answer is taken as complete when the server has closed, or has been silent for this long after a byte. */
  idleMs?: number;
  /** Throws when nothing at all has come by then. */
  timeoutMs?: number;
  /** Ends our side after sending; by default it stays open, as a waiting client's does. */
  halfClose?: boolean;
}

/**
 * Sends exactly these bytes (a string is latin1) and returns everything that comes back, as latin1 text: several
 * responses where there are several, the empty string where the server just closes.
 */
export function rawRequest(
  port: number,
  bytes: string | Buffer | (string | Buffer)[],
  options: RawRequestOptions = {},
): Promise<string> {
  const { host = '127.0.0.1', idleMs = 250, timeoutMs = 10_000, halfClose = false } = options;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host });
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(chunks).toString('latin1'));
    };
    let timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no answer and no close within ${timeoutMs} ms`));
    }, timeoutMs);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      clearTimeout(timer);
      timer = setTimeout(finish, idleMs);
    });
    socket.on('close', finish);
    // A reset after the refusal is an ordinary way to end; without a connection there is nothing to report.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') reject(error);
    });
    const parts = [bytes]
      .flat()
      .map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part));
    void sendParts(parts).then(() => halfClose && socket.end());

    /** Several parts go out as several segments: each waits until the one before was handed to the kernel. */
    async function sendParts(list: Buffer[]): Promise<void> {
      for (const part of list) {
        await new Promise((sent) => socket.write(part, sent));
        await new Promise((next) => setImmediate(next));
      }
    }
  });
}

export interface RawResponse {
  status: number;
  reason: string;
  /** By lower-case name; repeated fields joined with ", ". */
  headers: Record<string, string>;
  /** What follows the blank line, undecoded. */
  body: string;
}

/** Takes the first response in `text` apart; everything behind its head counts as its body. */
export function parseResponse(text: string): RawResponse {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...fields] = text.slice(0, end < 0 ? undefined : end).split('\r\n');
  const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine);
  if (!match) throw new Error(`not an HTTP response: ${JSON.stringify(text.slice(0, 200))}`);
  const headers: Record<string, string> = {};
  for (const field of fields) {
    const colon = field.indexOf(':');
    const name = field.slice(0, colon).toLowerCase();
    const value = field.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return {
    status: Number(match[1]),
    reason: match[2] ?? '',
    headers,
    body: end < 0 ? '' : text.slice(end + 4),
  };
}

/** The status of every response in `text`, in order: two where one request was sent means smuggling. */
export function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map((match) => Number(match[1]));
}
