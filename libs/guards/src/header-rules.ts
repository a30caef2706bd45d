import { plainName } from '#libs/publications';

/**
 * What happens to a request header:
 * `forward` it, `drop` it (hop-by-hop, or rebuilt by the gateway), `refuse` the request, `read` it (the admission takes its
 * value and decides), or forward it as a `cookie`, without those of the gateway itself.
 */
export type HeaderRule = 'forward' | 'drop' | 'refuse' | 'read' | 'cookie';

const READ = [
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'authorization',
  'x-api-key',
  'expect',
  'upgrade',
  'origin',
  'te',
  'x-request-id',
  'x-maintenance-bypass',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'forwarded',
];

/** Hop-by-hop (RFC 9110 §7.6.1) or credentials and claims that only the gateway may make. */
const DROP = [
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'trailer',
  'http2-settings',
  'x-admin-token',
  'x-real-ip',
  // CGI programs take it for their own HTTP_PROXY (CVE-2016-5385).
  'proxy',
  // Some frameworks route by these instead of the path that was judged (CVE-2018-14773).
  'x-original-url',
  'x-rewrite-url',
  // … and a method other than the one that the route was judged by.
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
];
const DROP_PREFIXES = ['x-forwarded-', 'x-gateway-'];

/** Read as framing by servers that turn `_` or `.` into `-` (CGI, WSGI): a way around the length check. */
const FRAMING = ['content-length', 'transfer-encoding', 'host'];

interface KnownHeader {
  readonly name: string;
  /** Its name to servers that turn every other character into `-`. */
  readonly plain: string;
  readonly rule: HeaderRule;
}

/** Spellings seen so far; bounded, because clients choose them. */
const known = new Map<string, KnownHeader>();
const MAX_KNOWN = 1000;

/** The lower-case name, the plain one and the rule of a header, by the name as the client spelt it. */
export function headerRule(spelling: string): KnownHeader {
  const seen = known.get(spelling);
  if (seen) return seen;
  const name = spelling.toLowerCase();
  const plain = plainName(spelling);
  const header = { name, plain, rule: classify(name, plain) };
  if (known.size < MAX_KNOWN) known.set(spelling, header);
  return header;
}

function classify(name: string, plain: string): HeaderRule {
  if (READ.includes(name)) return 'read';
  if (name === 'cookie') return 'cookie';
  if (plain !== name && FRAMING.includes(plain)) return 'refuse';
  const reserved = DROP.includes(plain) || DROP_PREFIXES.some((prefix) => plain.startsWith(prefix));
  // `X_API_KEY` and the like are look-alikes of what the gateway strips.
  return reserved || (plain !== name && READ.includes(plain)) ? 'drop' : 'forward';
}

/**
 * Removes the headers that a `Connection` field names: they belong to its hop only (RFC 9110 §7.6.1).
 * @param headers flat: name, value, name, value, …
 * @param kept a lower-case name that stays although it is named
 */
export function dropNamed(connection: string, headers: string[], kept?: string): void {
  const options = connection.toLowerCase().split(',');
  const named = new Set(options.map((option) => option.trim()));
  if (kept !== undefined) named.delete(kept);
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (named.has((headers[i] as string).toLowerCase())) headers.splice(i, 2);
  }
}
