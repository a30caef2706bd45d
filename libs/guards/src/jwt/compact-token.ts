import { invalidToken } from './invalid-token';

/** The parts of a token in JWS Compact Serialization, decoded but not verified: nothing in it is to be believed. */
export interface CompactToken {
  readonly alg: string;
  readonly kid: string | undefined;
  /** What the signature is over: header and payload as they came. */
  readonly signed: string;
  readonly signature: Buffer;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Node's own limit for all header fields is 16 KiB; what needs half of it is no access token. */
const MAX_TOKEN_LENGTH = 8 * 1024;
/** RFC 7515 §4.1.4 sets no limit; identity providers use thumbprints, UUIDs and dates. */
const MAX_KID_LENGTH = 256;
/** RFC 8259 §9 lets a reader set a limit. Claims are a few levels deep; thousands are meant to exhaust somebody's stack. */
const MAX_DEPTH = 32;

/**
 * Header parameters that let a token choose its own key or change how it is read: keys come from the configured
 * JWKS only (RFC 8725 §3.10), and there is no extension that we understand (RFC 7515 §4.1.11, RFC 7797 §3).
 */
const REFUSED_PARAMETERS = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc'];

/** Refuses what is too long to be worth a digest. */
export function checkTokenLength(token: string): void {
  if (token.length > MAX_TOKEN_LENGTH) throw invalidToken('the token is too long');
}

/**
 * Takes a token apart, so strictly that there is exactly one spelling of every token.
 * @throws GatewayError `invalid_jwt`.
 */
export function parseCompactToken(token: string): CompactToken {
  const parts = token.split('.');
  if (parts.length !== 3) throw invalidToken('the token does not have three parts');
  const [header, payload, signature] = parts as [string, string, string];
  if (signature === '') throw invalidToken('the token is not signed');
  const signatureBytes = decode(signature);
  const { alg, kid, typ, ...others } = parseObject(header);
  for (const name of REFUSED_PARAMETERS) {
    if (name in others) throw invalidToken(`the header parameter ${name} is not accepted`);
  }
  if (typeof alg !== 'string') throw invalidToken('the token names no algorithm');
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > MAX_KID_LENGTH)) {
    throw noKeyNamed();
  }
  if (typ !== undefined) checkType(typ);
  const signed = token.slice(0, header.length + 1 + payload.length);
  return { alg, kid, signed, signature: signatureBytes, claims: parseObject(payload) };
}

/** Also of tokens that need not name one in general, but of their issuer. */
export function noKeyNamed(): Error {
  return invalidToken('the token names no key');
}

/** Whether a token is none of ours to read: not even the form is that of a signed JWT (RFC 7515 §3.1). */
export function isOpaque(token: string): boolean {
  return !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
}

/** A signed logout token or DPoP proof is no access token, even from the right issuer (RFC 8725 §3.11). */
function checkType(typ: unknown): void {
  if (typeof typ !== 'string') throw invalidToken('the token has no proper type');
  const type = typ.toLowerCase().replace(/^application\//, '');
  if (type.endsWith('+jwt') && type !== 'at+jwt') throw invalidToken('the token is not an access token');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parseObject(part: string): Record<string, unknown> {
  const bytes = decode(part);
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw invalidToken('the token is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidToken('the token is not a JSON object');
  }
  checkStructure(text);
  return value as Record<string, unknown>;
}

/** Buffer ignores foreign characters, padding and stray bits at the end, so that many spellings decode alike. */
function decode(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (part === '' || bytes.toString('base64url') !== part) throw invalidToken('the token is not base64url');
  return bytes;
}

const STRUCTURE = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

/**
 * Refuses deep nesting, and an object that has two members of one name at its top level (RFC 7515 §4, RFC 7519 §4):
 * JSON.parse keeps the last, another parser behind us might keep the first. `json` is known to be well-formed.
 */
function checkStructure(json: string): void {
  const names = new Set<string>();
  let depth = 0;
  let text = '';
  for (const [symbol] of json.matchAll(STRUCTURE)) {
    if (symbol === '{' || symbol === '[') {
      if (++depth > MAX_DEPTH) throw invalidToken('the token is nested too deeply');
    } else if (symbol === '}' || symbol === ']') depth -= 1;
    else if (symbol !== ':') text = symbol;
    else if (depth === 1) {
      const name = JSON.parse(text) as string;
      if (names.has(name)) throw invalidToken('the token has duplicate members');
      names.add(name);
    }
  }
}
