import { checkKnown, isDictionary, type Dictionary, type Report } from '../field-checks';
import { plainName } from './header-changes';
import { objectionToVariables } from './header-text';

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
/** How the bytes of a body are to be read is for whoever has made them. */
const CODING = /^content-(?:encoding|range)$/;
/** May be set and removed as a whole, but not get into other headers, nor others into them. */
const CREDENTIALS = /^(?:authorization|cookie|set-cookie|www-authenticate)$/;
/** What pages may read is decided by ALLOWED_ORIGINS, for all tenants. */
const CORS = /^access-control-allow-(?:origin|credentials)$|^access-control-expose-headers$/;

/** What the headers of a rule are for: to match requests by, or to be set on one of the two messages. */
export type HeaderUse = 'match' | 'request' | 'response';

/** Headers by name that a rule matches or changes. The names that are the gateway's own are refused. */
export function checkHeaders(headers: unknown, field: string, use: HeaderUse, report: Report): void {
  if (!isDictionary(headers)) return report(field, 'must be an object by header name');
  const entries = Object.entries(headers);
  if (entries.length > MAX_HEADERS) return report(field, `must not have more than ${MAX_HEADERS} headers`);
  const seen = new Set<string>();
  for (const [name, value] of entries) {
    const place = `${field}.${name}`;
    const plain = plainName(name);
    if (!NAME.test(name)) report(field, 'has a name that no header can have');
    else if (isGateways(plain, use)) report(place, 'is a header of the gateway itself');
    else if (seen.has(plain)) report(place, 'is given twice');
    else if (use !== 'match' && isDictionary(value)) checkOther(plain, value, place, use, report);
    else checkValue(value, place, use, report);
    seen.add(plain);
  }
  if (use !== 'match') checkTargets(entries, field, report);
}

/** A change that is more than a text: `add` or `rename`. */
function checkOther(plain: string, change: Dictionary, field: string, use: HeaderUse, report: Report): void {
  const inner: Report = (name, message) => report(`${field}.${name}`, message);
  checkKnown(change, ['add', 'rename'], inner);
  const { add, rename } = change;
  if ((add === undefined) === (rename === undefined)) return report(field, 'must be a text, add or rename');
  // Several cookies are several fields of a response.
  if (CREDENTIALS.test(plain) && !(plain === 'set-cookie' && rename === undefined))
    return report(field, 'carries credentials, and can only be set or removed');
  if (add === '') inner('add', 'must not be empty');
  else if (add !== undefined) checkValue(add, `${field}.add`, use, report);
  else if (typeof rename !== 'string' || !NAME.test(rename)) inner('rename', 'must be the name of a header');
  else if (isGateways(plainName(rename), use)) inner('rename', 'is a header of the gateway itself');
  else if (CREDENTIALS.test(plainName(rename))) inner('rename', 'carries credentials');
}

/** What gets a new name must not meet something else that is done under that name, but for its removal. */
function checkTargets(
  entries: ReadonlyArray<readonly [string, unknown]>,
  field: string,
  report: Report,
): void {
  const taken = new Set(entries.filter(([, change]) => change !== '').map(([name]) => plainName(name)));
  for (const [name, change] of entries) {
    const target = isDictionary(change) && typeof change.rename === 'string' && plainName(change.rename);
    if (target === false) continue;
    if (taken.has(target)) report(`${field}.${name}.rename`, 'is a name that is changed as well');
    taken.add(target);
  }
}

function isGateways(plain: string, use: HeaderUse): boolean {
  if (GATEWAYS.has(plain) || GATEWAYS_PREFIX.test(plain)) return true;
  // What decides where a request goes must not be a secret: it is shown to whoever may read the document.
  if (use === 'match') return plain === 'authorization' || plain === 'cookie';
  return CODING.test(plain) || (use === 'response' && CORS.test(plain));
}

function checkValue(value: unknown, field: string, use: HeaderUse, report: Report): void {
  if (typeof value !== 'string' || value.length > MAX_VALUE || !VALUE.test(value))
    report(field, `must be a text of visible ASCII, up to ${MAX_VALUE} characters`);
  else if (use === 'match') {
    if (value === '') report(field, 'must not be empty');
  } else {
    const objection = objectionToVariables(value, isReadable);
    if (objection !== undefined) report(field, objection);
  }
}

/** Whether a value may quote the header of a request. */
export function isReadable(header: string): boolean {
  const plain = plainName(header);
  return !GATEWAYS.has(plain) && !GATEWAYS_PREFIX.test(plain) && !CREDENTIALS.test(plain);
}
