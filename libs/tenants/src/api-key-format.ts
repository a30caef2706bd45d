import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

export type KeyMode = 'live' | 'test';

const SECRET_BYTES = 32;
/** `gh_<mode>_`, the secret in base64url, six hex digits of its checksum. */
const OURS = /^(gh_(?:live|test)_[A-Za-z0-9_-]{43})([0-9a-f]{6})$/;

/** Every 401 must say how to do better (RFC 9110 §15.5.2). */
export const API_KEY_CHALLENGE = { 'WWW-Authenticate': 'ApiKey realm="gatehouse"' } as const;

/** A new key with 256 random bits. The checksum at its end lets a mistyped key be refused without a look-up. */
export function generateApiKey(mode: KeyMode = 'live'): string {
  return generateCredential(`gh_${mode}_`);
}

/** Another credential of the same form: 256 random bits behind a prefix, and their checksum. */
export function generateCredential(prefix: string): string {
  const body = prefix + randomBytes(SECRET_BYTES).toString('base64url');
  return body + checksum(body);
}

/** Whether a text may be a credential with this prefix, made by `generateCredential`. */
export function isCredential(prefix: string, text: string): boolean {
  const body = text.slice(0, -6);
  const secret = body.startsWith(prefix) ? body.slice(prefix.length) : '';
  return /^[A-Za-z0-9_-]{43}$/.test(secret) && checksum(body) === text.slice(-6);
}

/** The mode of a key that was made here, by the key or its beginning. */
export function modeOf(prefix: string): KeyMode {
  return prefix.startsWith('gh_test_') ? 'test' : 'live';
}

/** True for keys that look like ours and cannot be: keys of other programs have no checksum and pass. */
export function isMistyped(key: string): boolean {
  if (!key.startsWith('gh_live_') && !key.startsWith('gh_test_')) return false;
  const match = OURS.exec(key);
  return !match || checksum(match[1] ?? '') !== match[2];
}

/** Keys are stored and looked up by lower-case hex SHA-256; 256 random bits need no salt and no slow hash. */
export function hashApiKey(key: string): string {
  return hash('sha256', key, 'hex');
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, '0').slice(0, 6);
}
