import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** A public key that may verify tokens. */
export interface VerificationKey {
  readonly kid: string;
  /** The algorithms that this key may be used with: those of its type, or the one that it names. */
  readonly algorithms: readonly string[];
  readonly key: KeyObject;
  /** Digest of everything above; equal keys of two fetches are recognised by it. */
  readonly fingerprint: string;
  /** Set once the key is no longer published. Verdicts that rest on it fall with it. */
  retired: boolean;
}

/** The usable keys of a JWK Set by `kid`; a `kid` may stand for keys of different types (RFC 7517 §4.5). */
export type KeySet = ReadonlyMap<string, readonly VerificationKey[]>;

/** Real sets hold two to ten keys. */
const MAX_KEYS = 100;
/** NIST SP 800-131A asks for 2048 bits at least; above 8192 a verification is slow enough to be an attack. */
const RSA_BITS = { min: 2048, max: 8192 };
/** 1 would make every padded text its own signature; Go's crypto/rsa has the same upper end, for speed. */
const RSA_EXPONENT = { min: 3n, max: 2n ** 31n - 1n };

const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const CURVE_ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  'EC P-256': ['ES256'],
  'EC P-384': ['ES384'],
  'EC P-521': ['ES512'],
  // Two names of one algorithm: RFC 8037 §3.1 and RFC 9864 §2.2.
  'OKP Ed25519': ['EdDSA', 'Ed25519'],
};

/**
 * Reads a JWK Set (RFC 7517 §5). Keys that cannot verify tokens here are left out: shared secrets (a published
 * one would turn every reader into an issuer), other uses, weak, unknown or private ones, and those without `kid`.
 * @throws Error when the text is no JWK Set or holds no usable key; the message is for the log.
 */
export function parseKeySet(text: string): KeySet {
  const document = JSON.parse(text) as { keys?: unknown } | null;
  const jwks = document?.keys;
  if (!Array.isArray(jwks)) throw new Error('the document is not a JWK Set');
  if (jwks.length > MAX_KEYS) throw new Error(`the JWK Set holds more than ${MAX_KEYS} keys`);
  const set = new Map<string, VerificationKey[]>();
  for (const jwk of jwks as unknown[]) {
    const key = importKey(jwk);
    if (key === undefined) continue;
    const others = set.get(key.kid);
    if (others) others.push(key);
    else set.set(key.kid, [key]);
  }
  if (set.size === 0) throw new Error('the JWK Set holds no usable key');
  return set;
}

/** `next`, with the keys that were in `previous` already kept, and those that are gone marked as retired. */
export function succeed(previous: KeySet, next: KeySet): KeySet {
  const kept = new Map<string, VerificationKey>();
  for (const key of [...next.values()].flat()) kept.set(key.fingerprint, key);
  for (const key of [...previous.values()].flat()) {
    if (kept.has(key.fingerprint)) kept.set(key.fingerprint, key);
    else key.retired = true;
  }
  return new Map([...next].map(([kid, keys]) => [kid, keys.map((key) => kept.get(key.fingerprint) ?? key)]));
}

/** The key that a token may be verified with. The first, so that no set can ask for a hundred attempts. */
export function suitableKey(keys: readonly VerificationKey[], alg: string): VerificationKey | undefined {
  return keys.find((key) => key.algorithms.includes(alg));
}

function importKey(value: unknown): VerificationKey | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const jwk = value as JsonWebKey;
  const { kid, kty, crv } = jwk;
  if (typeof kid !== 'string' || kid === '' || !isForVerifying(jwk)) return undefined;
  const possible = kty === 'RSA' ? RSA_ALGORITHMS : CURVE_ALGORITHMS[`${String(kty)} ${String(crv)}`];
  const algorithms = jwk.alg === undefined ? possible : possible?.filter((alg) => alg === jwk.alg);
  if (algorithms === undefined || algorithms.length === 0) return undefined;
  try {
    // Only the public members: that a key is checked for being on its curve is the library's part (RFC 8725 §3.4).
    const { n, e, x, y } = jwk;
    const key = createPublicKey({ key: { kty, crv, n, e, x, y } as JsonWebKey, format: 'jwk' });
    if (kty === 'RSA' && !isSoundRsaKey(key)) return undefined;
    const der = key.export({ type: 'spki', format: 'der' });
    const names = JSON.stringify([kid, algorithms]);
    const fingerprint = createHash('sha256').update(names).update(der).digest('base64');
    return { kid, algorithms, key, fingerprint, retired: false };
  } catch {
    return undefined;
  }
}

function isForVerifying(jwk: JsonWebKey): boolean {
  // Whoever publishes the private half has no signatures left that mean anything.
  if (jwk.d !== undefined) return false;
  const { use, key_ops: operations } = jwk;
  if (use !== undefined && use !== 'sig') return false;
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
}

function isSoundRsaKey(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  return (
    modulusLength >= RSA_BITS.min &&
    modulusLength <= RSA_BITS.max &&
    publicExponent >= RSA_EXPONENT.min &&
    publicExponent <= RSA_EXPONENT.max
  );
}
