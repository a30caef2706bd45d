/** How an upstream is spoken to, where that is not HTTP/1.1: HTTP/2 over TLS, or over plain TCP with prior knowledge. */
export type UpstreamHttp2 = 'h2' | 'h2c';

/** The URL of an upstream taken apart. */
export interface UpstreamAddress {
  /** `http:` or `https:` whatever the URL said, so that its host is read by the same rules. */
  readonly url: URL;
  readonly http2: UpstreamHttp2 | undefined;
}

const HTTP2 = /^(h2c?):\/\//i;

/**
 * Reads the URL of an upstream: `http`, `https`, `h2c` (HTTP/2 without TLS) or `h2` (HTTP/2 over TLS). Undefined for all
 * others. To parsers of URLs the last two are schemes that nobody knows, whose hosts they leave as they are spelt:
 * `h2c://2130706433` would be a name to the check of addresses, and 127.0.0.1 to whoever connects.
 */
export function upstreamAddress(text: string): UpstreamAddress | undefined {
  const http2 = HTTP2.exec(text)?.[1]?.toLowerCase() as UpstreamHttp2 | undefined;
  const plain = http2 === undefined ? text : text.replace(HTTP2, http2 === 'h2' ? 'https://' : 'http://');
  if (!URL.canParse(plain)) return undefined;
  const url = new URL(plain);
  return url.protocol === 'http:' || url.protocol === 'https:' ? { url, http2 } : undefined;
}
