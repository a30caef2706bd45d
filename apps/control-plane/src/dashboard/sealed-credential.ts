import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';

/** What somebody has signed in with, as the header that every operation takes it in. */
export interface Credential {
  readonly header: 'x-admin-token' | 'x-api-key' | 'authorization';
  readonly value: string;
}

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Only whoever has the secret can read the credential again: the store, which keeps the text, cannot. */
export function seal(secret: Buffer, credential: Credential): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, keyOf(secret, 'seal'), iv);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(credential)), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** Undefined where the text was not sealed with this secret. */
export function unseal(secret: Buffer, text: string): Credential | undefined {
  const bytes = Buffer.from(text, 'base64url');
  try {
    const decipher = createDecipheriv(CIPHER, keyOf(secret, 'seal'), bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const opened = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    return JSON.parse(opened.toString()) as Credential;
  } catch {
    return undefined;
  }
}

/** What a page of ours must send with every change; nothing that could be turned back into the secret. */
export function csrfTokenOf(secret: Buffer): string {
  return keyOf(secret, 'csrf').toString('base64url');
}

/** By which a session is found in the store. */
export function sessionName(secret: Buffer): string {
  return hash('sha256', secret, 'hex');
}

function keyOf(secret: Buffer, purpose: 'seal' | 'csrf'): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `gatehouse session ${purpose}`, 32));
}
