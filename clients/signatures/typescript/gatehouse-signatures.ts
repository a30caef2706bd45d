/**
 * Signs requests and verifies those that Gatehouse has signed (docs/signatures.md). One file, nothing but `node:crypto`:
 * copy it into a project, or import it from here.
 */
import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';

export const BODY_SIGNATURE_HEADER = 'x-gateway-signature';
export const SIGNATURE_HEADER = 'x-gateway-signature-v2';
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

/** Headers as Node has them: by lower-case name; several of one name in a list, or joined with `, `. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request as it was sent. */
export interface SignedRequest {
  method: string;
  /** Value of `Host`, as the signer sent it. */
  host: string;
  /** Path and query, as in the request line. */
  target: string;
  headers: Headers;
  /** The raw bytes, before anything has parsed them. Absent: no body. */
  body?: Uint8Array;
}

/** Secrets by key id: all that are accepted, two of them while one is being changed. */
export type Secrets = Readonly<Record<string, string>>;

export interface VerifyOptions {
  /** How far the time of a signature may be from now, both ways. Absent means 300. */
  toleranceSeconds?: number;
  /** Names of headers that must be covered. */
  requiredHeaders?: readonly string[];
  /** Accepts signatures that do not cover the body. Absent: they are refused. */
  acceptUnsignedPayload?: boolean;
  /**
   * Spends a nonce: true the first time, false ever after, for as long as `ttlSeconds` says. Ask a store that all your
   * processes share. Absent: replays within the tolerance are not noticed.
   */
  spendNonce?: (keyId: string, nonce: string, ttlSeconds: number) => boolean | Promise<boolean>;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

export type FailureCode = 'missing' | 'invalid' | 'expired' | 'replayed';

/** Why a request is not to be believed. */
export class SignatureError extends Error {
  constructor(
    readonly code: FailureCode,
    message: string,
  ) {
    super(message);
    this.name = 'SignatureError';
  }
}

export interface SignOptions {
  /** Names of headers to be covered; they must be in `headers`. */
  covered?: readonly string[];
  /** Does not cover the body: for uploads that are too large to be read twice. */
  unsignedPayload?: boolean;
  /** Absent: now. Seconds since the epoch. */
  timestamp?: number;
  /** Absent: a random one. 16 to 64 letters, digits, `-` and `_`. */
  nonce?: string;
}

interface Parameters {
  keyId: string;
  timestamp: string;
  nonce: string;
  digest: string;
  headers: readonly string[];
}

const FORM =
  /^keyid=([A-Za-z0-9._-]{1,64});t=([1-9]\d{0,10});nonce=([A-Za-z0-9_-]{16,64});digest=([0-9a-f]{64}|UNSIGNED-PAYLOAD);headers=([a-z0-9-]+(?:,[a-z0-9-]+)*)?;sig=([0-9a-f]{64})$/;
const MAX_LENGTH = 2048;

/** The value of `X-Gateway-Signature-V2` for a request that is about to be sent. */
export function sign(
  request: SignedRequest,
  keyId: string,
  secret: string,
  options: SignOptions = {},
): string {
  const { covered = [], unsignedPayload = false, timestamp = Math.floor(Date.now() / 1000) } = options;
  const parameters: Parameters = {
    keyId,
    timestamp: String(timestamp),
    nonce: options.nonce ?? randomUUID(),
    digest: unsignedPayload ? UNSIGNED_PAYLOAD : sha256(request.body),
    headers: covered.map((name) => name.toLowerCase()),
  };
  const { nonce, digest, headers } = parameters;
  const signature = hmac(secret, canonicalString(request, parameters));
  return `keyid=${keyId};t=${timestamp};nonce=${nonce};digest=${digest};headers=${headers.join()};sig=${signature}`;
}

/**
 * Verifies `X-Gateway-Signature-V2`: key, request, body, time and nonce, in this order.
 * @returns the id of the key that signed.
 * @throws SignatureError (the promise rejects)
 */
export async function verify(
  request: SignedRequest,
  secrets: Secrets,
  options: VerifyOptions = {},
): Promise<string> {
  const { toleranceSeconds = 300, requiredHeaders = [], acceptUnsignedPayload = false } = options;
  const { now = Date.now, spendNonce } = options;
  const { signature, ...parameters } = parse(request.headers[SIGNATURE_HEADER]);
  const { keyId, timestamp, nonce, digest, headers } = parameters;
  const secret = Object.hasOwn(secrets, keyId) ? secrets[keyId] : undefined;
  const expected = hmac(secret ?? '', canonicalString(request, parameters));
  if (secret === undefined || secret === '' || !same(expected, signature))
    throw new SignatureError('invalid', 'the signature does not match');
  const ageSeconds = now() / 1000 - Number(timestamp);
  if (Math.abs(ageSeconds) > toleranceSeconds)
    throw new SignatureError('expired', 'the time of the signature is too far from now');
  const uncovered = requiredHeaders.find((name) => !headers.includes(name.toLowerCase()));
  if (uncovered !== undefined) throw new SignatureError('invalid', `${uncovered} is not covered`);
  if (digest === UNSIGNED_PAYLOAD) {
    if (!acceptUnsignedPayload) throw new SignatureError('invalid', 'the body is not covered');
  } else if (!same(digest, sha256(request.body))) {
    throw new SignatureError('invalid', 'the body is not the one that was signed');
  }
  // Until the signature has expired by every clock, those of other processes too.
  const ttlSeconds = Math.ceil(toleranceSeconds - ageSeconds + 60);
  if (spendNonce && !(await spendNonce(keyId, nonce, ttlSeconds)))
    throw new SignatureError('replayed', 'the request was sent before');
  return keyId;
}

/** The documented signature of the body alone: `sha256=` and HMAC-SHA256 in hex. */
export function signBody(body: Uint8Array | undefined, secret: string): string {
  return `sha256=${hmac(secret, body ?? new Uint8Array())}`;
}

/** Whether `X-Gateway-Signature` is that of the body by one of the secrets. It does not protect against replays. */
export function verifyBody(
  header: string | undefined,
  body: Uint8Array | undefined,
  secrets: Secrets,
): boolean {
  const usable = Object.values(secrets).filter((secret) => secret !== '');
  return header !== undefined && usable.some((secret) => same(signBody(body, secret), header));
}

/** The string that is signed. Texts are bytes: a character above U+00FF is none that a header can have. */
export function canonicalString(
  { method, host, target, headers: values }: SignedRequest,
  { keyId, timestamp, nonce, digest, headers }: Parameters,
): Buffer {
  const fields: Array<[name: string, value: string]> = [
    ['keyid', keyId],
    ['timestamp', timestamp],
    ['nonce', nonce],
    ['method', method],
    ['host', host.toLowerCase()],
    ['target', target],
    ['digest', digest],
    ['headers', headers.join()],
    ...headers.map((name): [string, string] => [name, valueOf(name, values)]),
  ];
  const text = fields.map(([name, value]) => `${name}:${value.length}:${value}\n`).join('');
  // eslint-disable-next-line no-control-regex -- what latin1 has
  if (!/^[\x00-\xff]*$/.test(text)) throw new SignatureError('invalid', 'a part of the request is no latin1');
  return Buffer.from(`gatehouse-signature-v2\n${text}`, 'latin1');
}

function parse(header: string | readonly string[] | undefined): Parameters & { signature: string } {
  if (header === undefined) throw new SignatureError('missing', `there is no ${SIGNATURE_HEADER}`);
  const found = typeof header === 'string' && header.length <= MAX_LENGTH ? FORM.exec(header) : null;
  if (!found) throw new SignatureError('invalid', 'the signature is malformed');
  const [, keyId = '', timestamp = '', nonce = '', digest = '', names, signature = ''] = found;
  const headers = names === undefined ? [] : names.split(',');
  if (new Set(headers).size < headers.length) throw new SignatureError('invalid', 'a header is named twice');
  return { keyId, timestamp, nonce, digest, headers, signature };
}

function valueOf(name: string, headers: Headers): string {
  const found = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (found === undefined) throw new SignatureError('invalid', `the signed header ${name} is not there`);
  const values = typeof found === 'string' ? [found] : found;
  const trimmed = values.map((value) => value.replace(/^[ \t]+|[ \t]+$/g, ''));
  return trimmed.join(name === 'cookie' ? '; ' : ', ');
}

function sha256(body: Uint8Array | undefined): string {
  return createHash('sha256')
    .update(body ?? new Uint8Array())
    .digest('hex');
}

function hmac(secret: string, data: Uint8Array): string {
  return createHmac('sha256', secret).update(data).digest('hex');
}

/** In a time that does not depend on where they differ. */
function same(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)];
  return left.length === right.length && timingSafeEqual(left, right);
}
