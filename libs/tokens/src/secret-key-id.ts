import { createHash } from 'node:crypto';

/** 64 bits: enough to tell a few secrets apart, and it says nothing about a secret of 32 random bytes. */
const DIGITS = 16;

/** The `kid` of tokens that are signed with a shared secret: the first 16 hex digits of its SHA-256. */
export function secretKeyId(secret: Buffer): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, DIGITS);
}
