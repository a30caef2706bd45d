/**
 * Headers that no configuration may set on a forwarded request: those that frame or route it (RFC 9110 §7.6.1), those that
 * carry credentials, and those that the gateway itself vouches for.
 */
const RESERVED = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'http2-settings',
  'authorization',
  'cookie',
  'origin',
  'forwarded',
  'via',
  'date',
  'x-api-key',
  'x-admin-token',
  'x-real-ip',
  'x-request-id',
  'traceparent',
  'tracestate',
  'x-maintenance-bypass',
  'x-original-url',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  // CGI programs take it for their own HTTP_PROXY (CVE-2016-5385).
  'proxy',
]);
const RESERVED_PREFIXES = ['x-forwarded-', 'x-gateway-', 'proxy-', 'content-', 'sec-'];

/** @param name in any case */
export function isReservedHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return RESERVED.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix));
}
