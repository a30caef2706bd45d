import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { SECRET_ALGORITHMS } from '#libs/tenants';
import { secretKeyId } from '#libs/tokens';
import type { CompactToken } from './compact-token';

/** A shared secret that may verify tokens. */
export interface SecretKey {
  /** Digest of the secret: what tokens may name it by. */
  readonly kid: string;
  readonly bytes: number;
  readonly key: KeyObject;
}

export function secretKey(secret: Buffer): SecretKey {
  return { kid: secretKeyId(secret), bytes: secret.length, key: createSecretKey(secret) };
}

const HASHES: Readonly<Record<string, string>> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };

/**
 * The secret that signed a token, by trying (RFC 7518 §3.2): one call and one comparison in constant time for each.
 * @param alg one of SECRET_ALGORITHMS, which the caller has made sure of.
 */
export function signerAmong(
  { alg, signed, signature }: CompactToken,
  secrets: readonly SecretKey[],
): SecretKey | undefined {
  const name = HASHES[alg];
  if (name === undefined) return undefined;
  return secrets.find(({ key }) => {
    const mac = createHmac(name, key).update(signed).digest();
    return mac.length === signature.length && timingSafeEqual(mac, signature);
  });
}

/** Whether a secret is long enough for an algorithm: a short one would be all of its strength. */
export function fits({ bytes }: SecretKey, alg: string): boolean {
  return bytes >= (SECRET_ALGORITHMS[alg] ?? Infinity);
}
