import { Agent, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import * as zlib from 'node:zlib';

/** An answer with its body byte for byte, as no client library has touched it. */
export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  trailers: NodeJS.Dict<string>;
  bytes: Buffer;
  /** Whether all of the body has come. */
  complete: boolean;
}

const agent = new Agent({ keepAlive: true });
afterAll(() => agent.destroy());

/** Sends a request and gives its answer at its head; its body is the caller's to read. */
export async function openAnswer(
  url: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<IncomingMessage> {
  const sent = request(url, { method, headers, agent });
  sent.end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  sent.on('error', () => undefined);
  return answer;
}

/** Sends a request and reads all of its answer, or what there is of it. */
export async function rawAnswer(
  url: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<RawAnswer> {
  const answer = await openAnswer(url, headers, method);
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(answer, 'close');
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    trailers: answer.trailers,
    bytes: Buffer.concat(chunks),
    complete: answer.complete,
  };
}

/** What a body was before it was encoded. */
export function decoded({ headers, bytes }: Pick<RawAnswer, 'headers' | 'bytes'>): Buffer {
  switch (headers['content-encoding']) {
    case undefined:
      return bytes;
    case 'gzip':
      return zlib.gunzipSync(bytes);
    case 'br':
      return zlib.brotliDecompressSync(bytes);
    case 'zstd':
      return (zlib as unknown as { zstdDecompressSync(bytes: Buffer): Buffer }).zstdDecompressSync(bytes);
    default:
      throw new Error(`nobody asked for ${headers['content-encoding']}`);
  }
}
