import type { OutgoingHttpHeaders } from 'node:http2';

/** A head of HTTP/1.1, said in HTTP/2. */
export interface Http2Head {
  readonly headers: OutgoingHttpHeaders;
  /** The server closes the connection of HTTP/1.1 after it. */
  readonly last: boolean;
  readonly chunked: boolean;
}

/** Belongs to the hop of HTTP/1.1 (RFC 9113 §8.2.2). */
const HOP_FIELDS = ['keep-alive', 'proxy-connection', 'upgrade', 'http2-settings', 'te'];

/** Fields of which Node takes only one (`kSingleValueHeaders`) and which an upstream may have repeated: the first counts. */
const SINGLE = new Set(
  (
    'access-control-allow-credentials access-control-max-age access-control-request-method age authorization ' +
    'content-encoding content-language content-length content-location content-md5 content-range content-type date ' +
    'dnt etag expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified ' +
    'location max-forwards proxy-authorization range referer retry-after tk upgrade-insecure-requests user-agent ' +
    'x-content-type-options'
  ).split(' '),
);

/** Lower-case names by the spelling; bounded, because upstreams choose them. */
const names = new Map<string, string>();
const MAX_NAMES = 1000;

export function lowerCase(spelling: string): string {
  const known = names.get(spelling);
  if (known !== undefined) return known;
  const name = spelling.toLowerCase();
  if (names.size < MAX_NAMES) names.set(spelling, name);
  return name;
}

/** @param fields flat: name, value, name, value, … */
export function http2Head(status: number, fields: readonly string[]): Http2Head {
  const headers = Object.create(null) as OutgoingHttpHeaders;
  headers[':status'] = status;
  let last = false;
  let chunked = false;
  for (let i = 0; i < fields.length; i += 2) {
    const name = lowerCase(fields[i] as string);
    const value = fields[i + 1] as string;
    if (name === 'connection') last ||= /(^|,)\s*close\s*($|,)/i.test(value);
    else if (name === 'transfer-encoding') chunked = true;
    else if (!HOP_FIELDS.includes(name)) addField(headers, name, value);
  }
  return { headers, last, chunked };
}

/** Fields behind the body: those that HTTP/2 would take for something else are left out. */
export function http2Trailers(fields: readonly string[]): OutgoingHttpHeaders {
  const { headers } = http2Head(0, fields);
  delete headers[':status'];
  return headers;
}

/** Adds a field; of those of which there may be one only, the first counts. */
export function addField(headers: OutgoingHttpHeaders, name: string, value: string): void {
  const earlier = headers[name];
  if (earlier === undefined) headers[name] = value;
  else if (Array.isArray(earlier)) earlier.push(value);
  else if (!SINGLE.has(name)) headers[name] = [earlier as string, value];
}
