import { timingSafeEqual, type KeyObject } from 'node:crypto';
import { GatewayError } from '#libs/errors';
import { DEFAULT_SIGNATURE_TOLERANCE_SECONDS, type InboundSignature } from '#libs/tenants';
import {
  BODY_SIGNATURE_HEADER,
  SIGNATURE_HEADER,
  UNSIGNED_PAYLOAD,
  bodySignature,
  sha256Hex,
  signatureOf,
  type SignedMessage,
} from './canonical';
import type { KeyRing } from './key-ring';
import { valueOf } from './request-signer';
import { parseSignature, type Signature } from './signature-header';

/** A request whose signature is judged. */
export interface JudgedRequest extends Omit<SignedMessage, 'values'> {
  /** Flat: name, value, name, value, … as they came. */
  readonly rawHeaders: readonly string[];
}

/** What the head of a request has proved: its body is still to be compared. */
export type Claimed =
  | { readonly scheme: 'v2'; readonly signature: Signature }
  /** The body alone is signed: nothing is known before it is there. */
  | { readonly scheme: 'v1'; readonly value: string };

const BODY_SIGNATURE = /^sha256=[0-9a-f]{64}$/;
/** RFC 9110 §11.6.1 asks for a challenge with every 401. */
const CHALLENGE = { 'WWW-Authenticate': 'Gateway-Signature' };

/**
 * Judges all that can be said of a signature before the body is there: its form, its key, its time and the HMAC over the
 * request and the digest that it claims for the body.
 * @param now milliseconds since the epoch, by the clock of this process.
 * @returns undefined where there is none and none is required.
 * @throws GatewayError signature_missing, signature_invalid, signature_expired, tenant_misconfigured
 */
export function judgeHead(
  request: JudgedRequest,
  policy: InboundSignature,
  ring: KeyRing,
  now: number,
): Claimed | undefined {
  const text = single(SIGNATURE_HEADER, request.rawHeaders);
  if (text !== undefined)
    return { scheme: 'v2', signature: judgeSignature(text, request, policy, ring, now) };
  const value = policy.acceptBodyOnly ? single(BODY_SIGNATURE_HEADER, request.rawHeaders) : undefined;
  if (value !== undefined) {
    if (!BODY_SIGNATURE.test(value)) throw refused('signature_invalid', 'the signature is malformed');
    return { scheme: 'v1', value };
  }
  if (policy.required === false) return undefined;
  throw refused('signature_missing', `send ${SIGNATURE_HEADER}`);
}

function judgeSignature(
  text: string,
  request: JudgedRequest,
  policy: InboundSignature,
  ring: KeyRing,
  now: number,
): Signature {
  const signature = parseSignature(text);
  if (!signature) throw refused('signature_invalid', 'the signature is malformed');
  const key = acceptedKey(signature.keyId, policy, ring);
  const values = signature.headers.map((name) => valueOf(name, request.rawHeaders));
  const absent = values.findIndex((value) => value === undefined);
  if (absent >= 0)
    throw refused('signature_invalid', `the signed header ${signature.headers[absent]} is not there`);
  const expected = signatureOf({ ...request, values: values as string[] }, signature, key);
  // Before its time and what it covers: nobody but the holder of the key is told why.
  if (!same(expected, signature.value)) throw mismatch();
  const seconds = policy.toleranceSeconds ?? DEFAULT_SIGNATURE_TOLERANCE_SECONDS;
  const ageMs = now - Number(signature.timestamp) * 1000;
  if (Math.abs(ageMs) > seconds * 1000)
    throw refused('signature_expired', `the time of the signature is more than ${seconds} s from now`);
  const uncovered = policy.headers?.find((name) => !signature.headers.includes(name.toLowerCase()));
  if (uncovered !== undefined)
    throw refused('signature_invalid', `the signature does not cover the header ${uncovered}`);
  if (signature.digest === UNSIGNED_PAYLOAD && policy.acceptUnsignedPayload !== true)
    throw refused('signature_invalid', 'the signature does not cover the body');
  return signature;
}

/** @throws GatewayError signature_invalid: the body is another one than was signed */
export function judgeDigest({ digest }: Signature, body: Uint8Array): void {
  if (digest !== UNSIGNED_PAYLOAD && !same(digest, sha256Hex(body)))
    throw refused('signature_invalid', 'the body is not the one that was signed');
}

/**
 * The id of the key that signed a body alone.
 * @throws GatewayError signature_invalid, tenant_misconfigured
 */
export function judgeBodySignature(
  value: string,
  body: Uint8Array,
  { keys }: InboundSignature,
  ring: KeyRing,
): string {
  for (const id of keys) {
    const key = ring.find(id);
    if (key && same(bodySignature(body, key), value)) return id;
  }
  throw mismatch();
}

function acceptedKey(id: string, { keys }: InboundSignature, ring: KeyRing): KeyObject {
  const key = keys.includes(id) ? ring.find(id) : undefined;
  if (key !== undefined) return key;
  // The policy names keys that the tenant has not: nobody could pass.
  if (keys.every((one) => ring.find(one) === undefined))
    throw new GatewayError('tenant_misconfigured', 'the tenant has none of the keys that are accepted');
  throw mismatch();
}

/** The one value of a header. @throws GatewayError signature_invalid for several, which two readers could choose between */
function single(name: string, raw: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  let value: string | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    if ((raw[i] as string).toLowerCase() !== lower) continue;
    if (value !== undefined) throw refused('signature_invalid', `the header ${name} is given twice`);
    value = raw[i + 1];
  }
  return value;
}

function mismatch(): GatewayError {
  return refused('signature_invalid', 'the signature does not match');
}

/** @param code one of those of the catalogue that begin with `signature_`. */
export function refused(
  code: 'signature_missing' | 'signature_invalid' | 'signature_expired' | 'signature_replayed',
  detail: string,
): GatewayError {
  return new GatewayError(code, detail, { headers: CHALLENGE });
}

/** In a time that does not depend on where they differ. */
function same(expected: string, given: string): boolean {
  return expected.length === given.length && timingSafeEqual(Buffer.from(expected), Buffer.from(given));
}
