import { parseCacheControl, type Directives } from './cache-control';

/** What of a response's head decides whether it is stored, and what is stored of it. */
export interface ResponseFields {
  readonly directives: Directives;
  expires: string | undefined;
  date: string | undefined;
  age: string | undefined;
  etag: string | undefined;
  lastModified: string | undefined;
  vary: string | undefined;
  contentLength: string | undefined;
  /** Whether the end of the body is told by the message, and not by the end of the connection. */
  delimited: boolean;
  setsCookie: boolean;
  partial: boolean;
  /** Of `Cache-Tag` and `Surrogate-Key`. */
  readonly tags: readonly string[];
  /** What is stored, flat: name, value, name, value, … */
  readonly kept: string[];
}

/** Fields that carry tags, which are for the gateway and not for its clients. */
export const TAG_FIELDS: ReadonlySet<string> = new Set(['cache-tag', 'surrogate-key']);
const MAX_TAGS = 100;

/**
 * What is never stored: fields of one hop (RFC 9110 §7.6.1), of one client or one request, and those that are worked out
 * anew for every client.
 */
const UNSTORED: ReadonlySet<string> = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer',
  'transfer-encoding', 'upgrade', 'content-length', 'age', 'x-request-id',
  'proxy-authentication-info', 'authentication-info',
  'access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers',
  'ratelimit', 'ratelimit-policy', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset',
  'surrogate-control', ...TAG_FIELDS,
]); // prettier-ignore

/** @param raw the response's headers as they came, flat */
export function readResponseFields(raw: readonly string[]): ResponseFields {
  const values = new Map<string, string>();
  const kept: string[] = [];
  const tags: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const value = raw[i + 1] as string;
    const earlier = values.get(name);
    values.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
    if (TAG_FIELDS.has(name)) tags.push(...value.split(/[\s,]+/).filter(Boolean));
    if (!UNSTORED.has(name)) kept.push(raw[i] as string, value);
  }
  dropNamed(values.get('connection'), kept);
  return {
    directives: parseCacheControl(values.get('cache-control')),
    expires: values.get('expires'),
    date: values.get('date'),
    age: values.get('age'),
    etag: values.get('etag'),
    lastModified: values.get('last-modified'),
    vary: values.get('vary'),
    contentLength: values.get('content-length'),
    delimited: values.has('content-length') || values.has('transfer-encoding'),
    setsCookie: values.has('set-cookie'),
    partial: values.has('content-range'),
    tags: tags.slice(0, MAX_TAGS),
    kept,
  };
}

/** Headers that `Connection` names belong to its hop. */
function dropNamed(connection: string | undefined, headers: string[]): void {
  if (connection === undefined) return;
  const named = new Set(connection.toLowerCase().split(/\s*,\s*/));
  for (let i = headers.length - 2; i >= 0; i -= 2)
    if (named.has((headers[i] as string).toLowerCase())) headers.splice(i, 2);
}
