import { isUtf8 } from 'node:buffer';
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
  const encoded = path.includes('%') ? normalEncoding(path) : path;
  return resolveDots(encoded.replace(/\/{2,}/g, '/'));
}

function refused(detail: string): GatewayError {
  return new GatewayError('bad_request_target', detail);
}

function normalEncoding(path: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) throw refused('the path has an incomplete percent-encoding');
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => {
    const character = String.fromCharCode(parseInt(hex, 16));
    if (UNRESERVED.test(character)) return character;
    // eslint-disable-next-line no-control-regex -- control characters are what it looks for
    if (/[/\\\x00-\x1f\x7f]/.test(character))
      throw refused('the path has an encoded separator or control character');
    return `%${hex.toUpperCase()}`;
  });
}

/** @param path in normal encoding, slashes merged */
function resolveDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  const readings = decodedThrough(path).split('/').slice(1);
  segments.forEach((segment, position) => {
    const last = position === segments.length - 1;
    // `..;x=1` is `..` to servers that strip path parameters, `...` and `.. ` to those that trim.
    const bare = (readings[position] as string).replace(/;.*$/, '');
    if (/^[.\s]+$/.test(bare) && bare.includes('.') && segment !== '.' && segment !== '..') {
      throw refused('the path has a disguised dot segment');
    }
    if (segment === '..' && kept.pop() === undefined) throw refused('the path leaves the root');
    if (segment !== '.' && segment !== '..') kept.push(segment);
    // A dot segment at the end leaves the slash that was before it (RFC 3986 §5.2.4).
    else if (last) kept.push('');
  });
  return `/${kept.join('/')}`;
}

/** A proxy behind a proxy may decode twice; nobody has a reason to encode more often than that. */
const MAX_DECODINGS = 3;
/** Longer than need be: how UTF-8 spells a dot in a way that filters miss (RFC 3629 §10). */
const OVERLONG = /%(?:C[01]%[89AB]|E0%[89]|F0%8|F[89A-F]%[89AB])/i;
/** Slashes and backslashes in the eyes of code pages that take the nearest character they have. */
const BEST_FIT = /[\u2044\u2215\u2216\u29f5\u29f8]/;

/**
 * What is left when everybody behind the gateway has decoded the path and folded its characters (NFKC).
 * @throws GatewayError if that brings forth a separator, or bytes that are not valid UTF-8
 */
function decodedThrough(path: string): string {
  if (!path.includes('%')) return path;
  let text = path;
  for (let decodings = 0, before = ''; text !== before; decodings++) {
    if (decodings > MAX_DECODINGS) throw refused('the path is percent-encoded too often');
    before = text;
    const decoded = text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => decode(run, decodings === 0));
    // Some file systems leave out what is not shown: soft hyphens, zero-width joiners and the like.
    text = decoded.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  }
  if (separators(text) !== separators(path.replaceAll('%3B', ';'))) {
    throw refused('the path hides a separator or control character');
  }
  return text;
}

/** @param strict whether it must be UTF-8; from the second time on, `50%de` need not have been meant as an encoding. */
function decode(run: string, strict: boolean): string {
  const bytes = Buffer.from(run.replaceAll('%', ''), 'hex');
  if (OVERLONG.test(run) || (strict && !isUtf8(bytes))) throw refused('the path is not valid UTF-8');
  const text = bytes.toString();
  if (BEST_FIT.test(text)) throw refused('the path has a character that looks like a separator');
  return text;
}

function separators(text: string): number {
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  return text.replace(/[^./\\;\x00-\x1f\x7f-\x9f]/g, '').length;
}

/** Paths whose loose form is the path itself. */
const STRICT_PATH = /^(?:\/[a-z0-9_~-](?:[a-z0-9._~-]*[a-z0-9_~-])?)*\/?$/;

/**
 * How the most lenient upstream might read a normal path: decoded, case-folded, without path parameters, without
 * spaces around and dots behind segments. Two paths with the same loose form may be one resource somewhere.
 */
export function looseForm(path: string): string {
  if (STRICT_PATH.test(path)) return path;
  const bare = folded(decodedThrough(path)).replace(/;[^/]*/g, '');
  // Looking behind keeps a long run of dots from being tried from each of its dots.
  const trimmed = bare.replace(/(?<![.\s])[.\s]+(?=\/|$)/g, '').replace(/(?<=\/)\s+/g, '');
  return trimmed.replace(/\/{2,}/g, '/') || '/';
}

/** One spelling for all that some comparison without case takes for equal; a dotted `İ` is an `i` to Java. */
function folded(text: string): string {
  return text.toUpperCase().toLowerCase().normalize('NFKC').replaceAll('\u0307', '');
}
