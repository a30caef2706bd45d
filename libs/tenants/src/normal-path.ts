import { GatewayError } from '#libs/errors';

/** Longer targets get 414 (RFC 9110 §15.5.15). */
const MAX_TARGET_LENGTH = 8192;

/** Paths that are their own normal form: the common case, decided by one scan. */
const PLAIN_PATH = /^(?:\/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9._~!$&'()*+,=:@-]*)*\/?$/;
const UNRESERVED = /[A-Za-z0-9._~-]/;
/** Raw characters no client has a reason to send: controls, space, non-ASCII, backslash, fragment. */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const FORBIDDEN = /[\x00-\x20\x7f-\uffff\\#]/;

/**
 * The one form in which a path is judged and sent (RFC 3986 §6.2.2): percent-encoded unreserved characters
 * decoded, other encodings in upper case, duplicate slashes merged, dot segments resolved.
 * Whatever different servers read differently (encoded slashes and backslashes, double encoding, NUL, overlong UTF-8,
 * characters that Unicode compatibility folding turns into separators) is refused instead of repaired.
 * @throws GatewayError bad_request_target or target_too_long
 */
export function normalPath(path: string): string {
  if (path.length > MAX_TARGET_LENGTH) throw new GatewayError('target_too_long');
  if (PLAIN_PATH.test(path) && path !== '') return path;
  if (!path.startsWith('/')) throw refused('the path must start with a slash');
  if (FORBIDDEN.test(path)) throw refused('the path has a character that must be percent-encoded');
  const decoded = path.includes('%') ? normalEncoding(path) : path;
  return resolveDots(decoded.replace(/\/{2,}/g, '/'));
}

function refused(detail: string): GatewayError {
  return new GatewayError('bad_request_target', detail);
}

function normalEncoding(path: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) throw refused('the path has an incomplete percent-encoding');
  // %25 may be repeated any number of times before the byte that is meant.
  if (/%(?:25)+(?:2[EeFf]|5[Cc]|00)/.test(path)) throw refused('the path is percent-encoded twice');
  if (/%[89A-Fa-f]/.test(path)) refuseLookalikes(path);
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => {
    const character = String.fromCharCode(parseInt(hex, 16));
    if (UNRESERVED.test(character)) return character;
    // eslint-disable-next-line no-control-regex -- control characters are what it looks for
    if (/[/\\\x00-\x1f\x7f]/.test(character))
      throw refused('the path has an encoded separator or control character');
    return `%${hex.toUpperCase()}`;
  });
}

/** Fullwidth dots and slashes become plain ones in servers that fold with NFKC; overlong UTF-8 hides them too. */
function refuseLookalikes(path: string): void {
  let text: string;
  try {
    text = decodeURIComponent(path);
  } catch {
    throw refused('the path is not valid UTF-8');
  }
  const separators = (s: string): number => s.replace(/[^./\\;%]/g, '').length;
  if (separators(text) !== separators(text.normalize('NFKC'))) {
    throw refused('the path has a character that looks like a separator');
  }
}

function resolveDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  segments.forEach((segment, position) => {
    const last = position === segments.length - 1;
    // `..;x=1` is `..` to servers that strip path parameters, `...` and `.. ` to those that trim.
    const bare = segment.replace(/(?:;|%3B).*$/, '');
    if (/^\.(?:\.|%20)*$/.test(bare) && segment !== '.' && segment !== '..') {
      throw refused('the path has a disguised dot segment');
    }
    if (segment === '..' && kept.pop() === undefined) throw refused('the path leaves the root');
    if (segment !== '.' && segment !== '..') kept.push(segment);
    // A dot segment at the end leaves the slash that was before it (RFC 3986 §5.2.4).
    else if (last) kept.push('');
  });
  return `/${kept.join('/')}`;
}

/** Paths whose loose form is the path itself. */
const STRICT_PATH = /^(?:\/[a-z0-9_~-](?:[a-z0-9._~-]*[a-z0-9_~-])?)*\/?$/;

/**
 * How the most lenient upstream might read a normal path: decoded, case-folded, without path parameters and without
 * dots and spaces at the end of segments. Two paths with the same loose form may be one resource somewhere.
 */
export function looseForm(path: string): string {
  if (STRICT_PATH.test(path)) return path;
  const bare = path.replace(/(?:;|%3B)[^/]*/g, '');
  const decoded = decodeURIComponent(bare).normalize('NFKC').toLowerCase();
  return decoded.replace(/[. ]+(?=\/|$)/g, '').replace(/\/{2,}/g, '/') || '/';
}
