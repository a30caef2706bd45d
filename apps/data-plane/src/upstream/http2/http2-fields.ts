import type { OutgoingHttpHeaders } from 'node:http2';
import { addField, lowerCase } from '../../http2/response-head';

/** Belong to one hop of HTTP/1.1 (RFC 9113 §8.2.2), or are said by a pseudo-header. */
const LEFT_OUT = new Set([
  'host', 'connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'http2-settings',
]); // prettier-ignore

/** What is asked for, beside the fields. */
export interface RequestLine {
  readonly method: string;
  readonly path: string;
  readonly scheme: 'http' | 'https';
  /** Where there is no `Host` among the fields. */
  readonly authority: string;
}

/** @param fields flat: name, value, name, value, … as HTTP/1.1 would send them, `Host` among them. */
export function http2Request(line: RequestLine, fields: readonly string[]): OutgoingHttpHeaders {
  const headers = Object.create(null) as OutgoingHttpHeaders;
  headers[':method'] = line.method;
  headers[':path'] = line.path;
  headers[':scheme'] = line.scheme;
  headers[':authority'] = line.authority;
  for (let i = 0; i < fields.length; i += 2) {
    const name = lowerCase(fields[i] as string);
    const value = fields[i + 1] as string;
    if (!LEFT_OUT.has(name)) addField(headers, name, value);
    else if (name === 'host') headers[':authority'] = value;
  }
  return headers;
}

/** The fields of a response as bytes, flat, without pseudo-headers: as undici's handlers get them. */
export function rawFields(fields: readonly string[]): Buffer[] {
  const raw: Buffer[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (name.charCodeAt(0) === COLON) continue;
    raw.push(nameBytes(name), Buffer.from(fields[i + 1] as string, 'latin1'));
  }
  return raw;
}

const COLON = 58;

/** Names as bytes; bounded, because upstreams choose them. */
const MAX_NAMES = 1000;
const bytes = new Map<string, Buffer>();

function nameBytes(name: string): Buffer {
  const known = bytes.get(name);
  if (known !== undefined) return known;
  const made = Buffer.from(name, 'latin1');
  if (bytes.size < MAX_NAMES) bytes.set(name, made);
  return made;
}
