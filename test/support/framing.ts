import { rawUpstream, type RawConnection, type RawUpstream } from './upstream';

/** One request as a server must read it that keeps to the letter. */
export interface FramedRequest {
  readonly method: string;
  readonly target: string;
  /** As they were sent. */
  readonly fields: ReadonlyArray<readonly [name: string, value: string]>;
  readonly body: string;
}

export interface FramingUpstream extends RawUpstream {
  /** Every request that came in whole, on whichever connection. */
  readonly requests: FramedRequest[];
  /** Bytes that any two servers might read differently; none, if all is well. */
  readonly flaws: string[];
  /** Open connections that hold the beginning of a request. */
  unfinished(): RawConnection[];
}

/** Answers every request that came in whole, and takes note of every byte that is not where RFC 9112 wants it. */
export async function framingUpstream(): Promise<FramingUpstream> {
  const requests: FramedRequest[] = [];
  const flaws: string[] = [];
  const read = new WeakMap<RawConnection, number>();
  const restOf = (connection: RawConnection): string => connection.text().slice(read.get(connection) ?? 0);
  const upstream = await rawUpstream((connection) => {
    try {
      for (let next = framed(restOf(connection)); next; next = framed(restOf(connection))) {
        read.set(connection, (read.get(connection) ?? 0) + next.length);
        requests.push(next.request);
        connection.socket.write(answer(next.request));
      }
    } catch (error) {
      flaws.push((error as Error).message);
      connection.socket.destroy();
    }
  });
  return {
    ...upstream,
    requests,
    flaws,
    unfinished: () => upstream.connections.filter((one) => !one.socket.destroyed && restOf(one) !== ''),
  };
}

/** Names its request, so that an answer to another one would be noticed. */
function answer({ method, target }: FramedRequest): string {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n`;
  return method === 'HEAD' ? head : head + target;
}

const REQUEST_LINE = /^([A-Z-]+) ([\x21-\x7e]+) HTTP\/1\.1$/;
const FIELD = /^([\w!#$%&'*+.^`|~-]+): ([\t\x20-\x7e\x80-\xff]*)$/;

/** The first request in `bytes`, and how many of them it takes; undefined while it is not whole. */
function framed(bytes: string): { request: FramedRequest; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...lines] = bytes.slice(0, end).split('\r\n');
  const [, method = '', target = ''] = matching(REQUEST_LINE, line);
  const fields = lines.map((text) => matching(FIELD, text).slice(1) as [string, string]);
  const framing = checkedFraming(fields);
  const start = end + 4;
  const body = framing === 'chunked' ? chunks(bytes, start) : fixed(bytes, start, framing);
  return body && { request: { method, target, fields, body: body.text }, length: body.end };
}

function matching(pattern: RegExp, text: string): RegExpExecArray {
  const match = pattern.exec(text);
  if (!match) throw new Error(`not well-formed: ${JSON.stringify(text)}`);
  return match;
}

/** The length of the body, or `chunked`; there must be no second opinion about it. */
function checkedFraming(fields: ReadonlyArray<readonly [string, string]>): number | 'chunked' {
  const valuesOf = (plain: string): string[] =>
    fields.filter(([name]) => name.toLowerCase().replace(/[^a-z]/g, '') === plain).map(([, value]) => value);
  const lengths = valuesOf('contentlength');
  const codings = valuesOf('transferencoding');
  const claims = [...lengths, ...codings];
  const plain = /^\d+$/.test(lengths[0] ?? '0') && (codings[0] ?? 'chunked') === 'chunked';
  if (claims.length > 1 || !plain) throw new Error(`ambiguous framing: ${claims.join(' | ')}`);
  if (valuesOf('host').length !== 1) throw new Error('not one Host');
  return codings.length > 0 ? 'chunked' : Number(lengths[0] ?? 0);
}

interface Body {
  readonly text: string;
  readonly end: number;
}

function fixed(bytes: string, start: number, length: number): Body | undefined {
  const end = start + length;
  return bytes.length < end ? undefined : { text: bytes.slice(start, end), end };
}

function chunks(bytes: string, start: number): Body | undefined {
  let text = '';
  for (let at = start; ;) {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const size = parseInt(matching(/^[0-9A-Fa-f]{1,8}$/, bytes.slice(at, end))[0], 16);
    const next = end + 2 + size + 2;
    if (bytes.length < next) return undefined;
    matching(/^\r\n$/, bytes.slice(next - 2, next));
    if (size === 0) return { text, end: next };
    text += bytes.slice(end + 2, next - 2);
    at = next;
  }
}
