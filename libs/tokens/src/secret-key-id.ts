import { hash } from 'node:crypto';

const LENGTH = 16;

/** What a shared secret is called in the `kid` of a token's header: the first 16 hex digits of its SHA-256. */
export function secretKeyId(secret: Buffer): string {
  return hash('sha256', secret, 'hex').slice(0, LENGTH);
}
