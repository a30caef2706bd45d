import { constants, verify, type KeyObject } from 'node:crypto';
import type { CompactToken } from './compact-token';

interface Scheme {
  /** null: the algorithm brings its own hash. */
  readonly hash: string | null;
  readonly padding?: number;
  readonly saltLength?: number;
  readonly dsaEncoding?: 'ieee-p1363';
  /** Exact length of a signature, where the key does not say it. */
  readonly bytes?: number;
}

const pkcs1 = (hash: string): Scheme => ({ hash, padding: constants.RSA_PKCS1_PADDING });
/** RFC 7518 §3.5: the salt is as long as the hash. */
const pss = (hash: string): Scheme => ({
  hash,
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
});
/** RFC 7518 §3.4: two numbers of the same length, not DER. */
const ecdsa = (hash: string, bytes: number): Scheme => ({ hash, dsaEncoding: 'ieee-p1363', bytes });
const eddsa: Scheme = { hash: null, bytes: 64 };

const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  ['RS256', pkcs1('sha256')],
  ['RS384', pkcs1('sha384')],
  ['RS512', pkcs1('sha512')],
  ['PS256', pss('sha256')],
  ['PS384', pss('sha384')],
  ['PS512', pss('sha512')],
  ['ES256', ecdsa('sha256', 64)],
  ['ES384', ecdsa('sha384', 96)],
  ['ES512', ecdsa('sha512', 132)],
  ['EdDSA', eddsa],
  ['Ed25519', eddsa],
]);

/**
 * Whether a public key made the signature of a token (RFC 7515 §5.2). By one call of the crypto library at once: jose, which
 * goes by Web Crypto, takes a promise, a thread and twice the CPU for the same answer.
 * @param key that the algorithm of the token is meant for, which the caller has made sure of.
 */
export function isSignedBy(key: KeyObject, { alg, signed, signature }: CompactToken): boolean {
  const scheme = SCHEMES.get(alg);
  if (scheme === undefined || key.type !== 'public') return false;
  const { hash, bytes, ...options } = scheme;
  if (bytes !== undefined && signature.length !== bytes) return false;
  try {
    return verify(hash, Buffer.from(signed), { key, ...options }, signature);
  } catch {
    // A key of another type; it has not signed this.
    return false;
  }
}
