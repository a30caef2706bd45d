import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';

/** What came of one request over HTTP/2. */
export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly body: string;
}

/** Thrown for a stream that was reset: its code by name, such as `NGHTTP2_PROTOCOL_ERROR`. */
export class StreamReset extends Error {}

const open = new Set<ClientHttp2Session>();

// Whatever a failed test leaves open.
afterAll(() => {
  for (const session of open) session.destroy();
});

/** Opens a session with a loopback port. Certificates are not looked at: the test's are signed by nobody. */
export async function openHttp2(
  port: number,
  options: ClientSessionOptions & SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, {
    rejectUnauthorized: false,
    ...options,
  } as SecureClientSessionOptions);
  open.add(session);
  session.on('error', () => undefined);
  session.on('close', () => open.delete(session));
  await new Promise((resolve, reject) => {
    session.once('remoteSettings', resolve);
    session.once('error', reject);
    session.once('close', () => reject(new Error('the session was closed')));
  });
  return session;
}

/** Sends a request, with its body if there is one, and resolves to the whole answer. */
export function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<Http2Answer> {
  const stream = session.request({ ':path': '/', ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return answerOf(stream);
}

/** Reads a stream to its end. @throws StreamReset (the promise rejects) */
export function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders | undefined;
    let ended = false;
    stream.on('response', (head: IncomingHttpHeaders) => (headers = head));
    stream.on('trailers', (fields: IncomingHttpHeaders) => (trailers = fields));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => (ended = true));
    stream.on('error', () => undefined);
    stream.on('close', () => {
      const status = headers[':status'] as number | undefined;
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || !ended || status === undefined)
        return reject(new StreamReset(nameOf(stream.rstCode ?? constants.NGHTTP2_INTERNAL_ERROR)));
      resolve({ status, headers, trailers, body: Buffer.concat(chunks).toString('latin1') });
    });
  });
}

/** The answer, or the name of the code that the stream was reset with. */
export function outcomeOfStream(answer: Promise<Http2Answer>): Promise<Http2Answer | string> {
  return answer.catch((error: unknown) => {
    if (error instanceof StreamReset) return error.message;
    throw error;
  });
}

function nameOf(code: number): string {
  const found = Object.entries(constants).find(
    ([name, value]) =>
      value === code &&
      /^NGHTTP2_(?:NO_ERROR|\w+_ERROR|SETTINGS_TIMEOUT|STREAM_CLOSED|REFUSED_STREAM|CANCEL|ENHANCE_YOUR_CALM|INADEQUATE_SECURITY|HTTP_1_1_REQUIRED)$/.test(
        name,
      ),
  );
  return found?.[0] ?? String(code);
}
