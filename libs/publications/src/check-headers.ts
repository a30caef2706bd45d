import { isDictionary, type Report } from '#libs/tenants';
import { plainName } from './header-changes';

const MAX_HEADERS = 50;
const MAX_VALUE = 4096;
/** RFC 9110 §5.6.2. */
const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
/** RFC 9110 §5.5, without the obsolete bytes beyond ASCII; no space at either end. */
const VALUE = /^(?:[!-~](?:[\t -~]*[!-~])?)?$/;

/** Hop-by-hop (RFC 9110 §7.6.1), framing, the gateway's own credentials, and what routes or methods are taken from. */
const GATEWAYS = new Set([
  'host', 'connection', 'content-length', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'keep-alive', 'expect',
  'proxy', 'proxy-connection', 'proxy-authorization', 'proxy-authenticate', 'http2-settings', 'forwarded', 'x-real-ip',
  'x-request-id', 'x-api-key', 'x-admin-token', 'x-original-url', 'x-rewrite-url', 'x-http-method-override',
  'x-http-method', 'x-method-override',
]); // prettier-ignore
const GATEWAYS_PREFIX = /^x-(?:forwarded|gateway)-/;
/** What pages may read is decided by ALLOWED_ORIGINS, for all tenants. */
const CORS = /^access-control-allow-(?:origin|credentials)$|^access-control-expose-headers$/;

/** What the headers of a rule are for: to match requests by, or to be set on one of the two messages. */
export type HeaderUse = 'match' | 'request' | 'response';

/** Headers by name that a rule matches or sets. The names that are the gateway's own are refused. */
export function checkHeaders(headers: unknown, field: string, use: HeaderUse, report: Report): void {
  if (!isDictionary(headers)) return report(field, 'must be an object of texts by header name');
  const entries = Object.entries(headers);
  if (entries.length > MAX_HEADERS) return report(field, `must not have more than ${MAX_HEADERS} headers`);
  const seen = new Set<string>();
  for (const [name, value] of entries) {
    const place = `${field}.${name}`;
    const plain = plainName(name);
    if (!NAME.test(name)) report(field, 'has a name that no header can have');
    else if (isGateways(plain, use)) report(place, 'is a header of the gateway itself');
    else if (seen.has(plain)) report(place, 'is given twice');
    else checkValue(value, place, use, report);
    seen.add(plain);
  }
}

function isGateways(plain: string, use: HeaderUse): boolean {
  if (GATEWAYS.has(plain) || GATEWAYS_PREFIX.test(plain)) return true;
  // What decides where a request goes must not be a secret: it is shown to whoever may read the document.
  if (use === 'match') return plain === 'authorization' || plain === 'cookie';
  return use === 'response' && CORS.test(plain);
}

function checkValue(value: unknown, field: string, use: HeaderUse, report: Report): void {
  if (typeof value !== 'string' || value.length > MAX_VALUE || !VALUE.test(value))
    report(field, `must be a text of visible ASCII, up to ${MAX_VALUE} characters`);
  else if (use === 'match' && value === '') report(field, 'must not be empty');
}
