import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { SettingValues } from './settings';

/** A key with the one JWS algorithm that it is used with (RFC 8725 §3.1). */
export interface TokenKey {
  readonly alg: 'RS256' | 'ES256' | 'EdDSA';
  readonly key: KeyObject;
}

/** What service tokens are signed with, and what they are accepted by. */
export interface TokenKeyConfig {
  /** Signs by HS256, unless there is a `signingKey`. */
  readonly secret?: string;
  readonly previousSecrets: readonly string[];
  /** A private key. */
  readonly signingKey?: TokenKey;
  /** Public keys. */
  readonly previousKeys: readonly TokenKey[];
}

const MIN_RSA_BITS = 2048;
const SUITABLE = `an RSA key of at least ${MIN_RSA_BITS} bits, an EC key on P-256 or an Ed25519 key`;

/** Reads the key files; what is wrong with them becomes one line each. */
export function tokenKeyConfig(values: SettingValues, problems: string[]): TokenKeyConfig {
  const read = (name: string, file: string, parse: (pem: string) => KeyObject): TokenKey | undefined => {
    try {
      return suitable(parse(readFileSync(file, 'utf8')));
    } catch (error) {
      problems.push(`${name} has '${file}', which ${reasonOf(error)}`);
      return undefined;
    }
  };
  const privateFile = values.GATEWAY_JWT_PRIVATE_KEY_FILE;
  const publicFiles = values.GATEWAY_JWT_PREVIOUS_PUBLIC_KEY_FILES ?? [];
  return Object.freeze({
    secret: values.GATEWAY_JWT_SECRET,
    previousSecrets: values.GATEWAY_JWT_PREVIOUS_SECRETS ?? [],
    signingKey:
      privateFile === undefined
        ? undefined
        : read('GATEWAY_JWT_PRIVATE_KEY_FILE', privateFile, (pem) => createPrivateKey(pem)),
    previousKeys: publicFiles
      .map((file) => read('GATEWAY_JWT_PREVIOUS_PUBLIC_KEY_FILES', file, (pem) => createPublicKey(pem)))
      .filter((key) => key !== undefined),
  });
}

class UnsuitableKey extends Error {}

function suitable(key: KeyObject): TokenKey {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return { alg: 'EdDSA', key };
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return { alg: 'ES256', key };
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS) return { alg: 'RS256', key };
  throw new UnsuitableKey();
}

/** OpenSSL's own words say nothing to an operator, and nothing of a key may get into a log. */
function reasonOf(error: unknown): string {
  if (error instanceof UnsuitableKey) return `is not ${SUITABLE}`;
  const { code } = error as NodeJS.ErrnoException;
  if (code?.startsWith('ERR_')) return 'is no unencrypted PEM file of a key';
  return `cannot be read: ${(error as Error).message}`;
}
