import { createHmac, hash, type KeyObject } from 'node:crypto';

/** First line of what is signed: a signature of another scheme never fits this one. */
const SCHEME = 'gatehouse-signature-v2';

export const BODY_SIGNATURE_HEADER = 'X-Gateway-Signature';
export const SIGNATURE_HEADER = 'X-Gateway-Signature-V2';
export const TIMESTAMP_HEADER = 'X-Gateway-Timestamp';

/** In the place of a digest: the signature says nothing about the body. No digest looks like it. */
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

/** What a signature says beside the message: it travels in the header. */
export interface SignatureParameters {
  readonly keyId: string;
  /** Seconds since the epoch, in decimal. */
  readonly timestamp: string;
  readonly nonce: string;
  /** SHA-256 of the body in lower-case hex, or `UNSIGNED-PAYLOAD`. */
  readonly digest: string;
  /** Names of the headers that are signed, in lower case and in this order. */
  readonly headers: readonly string[];
}

/** What of a request is signed. Texts are latin1, a character a byte, as Node has headers. */
export interface SignedMessage {
  readonly method: string;
  /** Value of `Host`. */
  readonly host: string;
  /** Path and query, as in the request line. */
  readonly target: string;
  /** Values of the signed headers, in their order; several of one name joined with `, `. */
  readonly values: readonly string[];
}

/**
 * The one string that is signed: a line for each part with its name and its length in bytes, so that no two requests have
 * the same, whatever their parts contain.
 */
export function canonicalString(message: SignedMessage, parameters: SignatureParameters): string {
  const { keyId, timestamp, nonce, digest, headers } = parameters;
  let text =
    `${SCHEME}\n${line('keyid', keyId)}${line('timestamp', timestamp)}${line('nonce', nonce)}` +
    `${line('method', message.method)}${line('host', message.host.toLowerCase())}` +
    `${line('target', message.target)}${line('digest', digest)}${line('headers', headers.join())}`;
  for (let i = 0; i < headers.length; i++)
    text += line(headers[i] as string, trimmed(message.values[i] ?? ''));
  return text;
}

/** HMAC-SHA256 of the canonical string, in lower-case hex. */
export function signatureOf(message: SignedMessage, parameters: SignatureParameters, key: KeyObject): string {
  return createHmac('sha256', key).update(canonicalString(message, parameters), 'latin1').digest('hex');
}

/** The documented signature of the body alone: `sha256=` and HMAC-SHA256 in lower-case hex. */
export function bodySignature(body: Uint8Array, key: KeyObject): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
}

export function sha256Hex(body: Uint8Array): string {
  return hash('sha256', body, 'hex');
}

function line(name: string, value: string): string {
  return `${name}:${value.length}:${value}\n`;
}

/** Without the blanks at the ends, which are no part of a value (RFC 9110 §5.5). */
function trimmed(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, '');
}
