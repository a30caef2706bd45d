import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdf,
  randomBytes,
  scrypt,
  timingSafeEqual,
} from 'node:crypto';
import { promisify } from 'node:util';
import { BackupError } from './backup-error';

/** What opens an encrypted backup: a passphrase that people remember, or 32 random bytes. */
export type BackupSecret =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | { readonly kind: 'key'; readonly key: Uint8Array };

export const ENCRYPTED_FORMAT = 'gatehouse-backup-encrypted';
export const KEY_BYTES = 32;

const VERSION = 1;
const SALT_BYTES = 32;
const MAC_BYTES = 32;
const TAG_BYTES = 16;
/** Plain bytes of every chunk but the last, which has fewer or as many. */
const CHUNK = 65_536;
const FRAME = CHUNK + TAG_BYTES;
/** Longer than any header that is written. */
const MAX_HEADER = 512;
/** OWASP's least, 128 MiB for half a second. Fixed by the version, so that no file asks for more. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 ** 2 };

interface Header {
  readonly format: string;
  readonly version: number;
  readonly secret: BackupSecret['kind'];
  readonly salt: string;
}

/**
 * Encrypts a file of any length: a header line and its HMAC, then chunks of AES-256-GCM by a key of this file only. A
 * chunk's nonce is its number and whether it is the last (STREAM, Hoang et al. 2015): none can be changed, moved, left
 * out or cut off. ADR 33 has the format.
 */
export async function* encrypted(
  plain: AsyncIterable<Uint8Array>,
  secret: BackupSecret,
): AsyncIterable<Buffer> {
  const salt = randomBytes(SALT_BYTES);
  const fields: Header = {
    format: ENCRYPTED_FORMAT,
    version: VERSION,
    secret: secret.kind,
    salt: salt.toString('base64'),
  };
  const header = Buffer.from(`${JSON.stringify(fields)}\n`);
  const keys = await keysOf(secret, salt);
  yield Buffer.concat([header, macOf(keys.header, header)]);
  let number = 0;
  let held: Buffer = Buffer.alloc(0);
  for await (const bytes of plain) {
    held = Buffer.concat([held, bytes]);
    // A full chunk waits until it is known whether it is the last.
    for (; held.length > CHUNK; held = held.subarray(CHUNK))
      yield seal(keys.content, number++, false, held.subarray(0, CHUNK));
  }
  yield seal(keys.content, number, true, held);
}

/**
 * The plain bytes, chunk by chunk, each as soon as it is found good. That the file is whole is known at the end only:
 * whoever acts on it reads it twice.
 * @throws BackupError for another secret, and for whatever was changed or cut off
 */
export async function* decrypted(
  file: AsyncIterable<Uint8Array>,
  secret: BackupSecret,
): AsyncIterable<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  let key: Buffer | undefined;
  let number = 0;
  for await (const bytes of file) {
    held = Buffer.concat([held, bytes]);
    if (!key) {
      const opened = await openHeader(held, secret);
      if (!opened) continue;
      key = opened.key;
      held = held.subarray(opened.length);
    }
    for (; held.length > FRAME; held = held.subarray(FRAME)) {
      const plain = open(key, number, false, held.subarray(0, FRAME));
      if (!plain) throw new BackupError(`it was changed or damaged in chunk ${number + 1}`);
      number += 1;
      yield plain;
    }
  }
  if (!key) throw new BackupError('it was cut off, or is no encrypted backup');
  const plain = open(key, number, true, held);
  if (!plain) {
    const goesOn = held.length < TAG_BYTES || open(key, number, false, held) !== undefined;
    throw new BackupError(goesOn ? 'it was cut off' : `it was cut off, or changed in chunk ${number + 1}`);
  }
  yield plain;
}

/** Whether a file that begins like this is an encrypted backup. */
export function isEncrypted(beginning: Uint8Array): boolean {
  return Buffer.from(beginning).toString('latin1').startsWith(`{"format":"${ENCRYPTED_FORMAT}"`);
}

/** Undefined while not all of the header is there. @throws BackupError */
async function openHeader(
  held: Buffer,
  secret: BackupSecret,
): Promise<{ key: Buffer; length: number } | undefined> {
  const end = held.indexOf('\n') + 1;
  if (end === 0 && held.length > MAX_HEADER) throw new BackupError('it is no encrypted backup');
  const length = end + MAC_BYTES;
  if (end === 0 || held.length < length) return undefined;
  const header = held.subarray(0, end);
  const { version, secret: kind, salt } = parsed(header);
  if (version !== VERSION)
    throw new BackupError(`it is encrypted by version ${JSON.stringify(version)}, not ${VERSION}`);
  if (kind !== secret.kind)
    throw new BackupError(`it was encrypted with a ${kind}, and is to be opened with a ${secret.kind}`);
  const keys = await keysOf(secret, Buffer.from(salt, 'base64'));
  if (!timingSafeEqual(macOf(keys.header, header), held.subarray(end, length)))
    throw new BackupError(`the ${kind} is not the one that it was encrypted with, or its header was changed`);
  return { key: keys.content, length };
}

/** @throws BackupError */
function parsed(header: Buffer): Header {
  try {
    const fields = JSON.parse(header.toString()) as Partial<Header>;
    const { format, version = 0, secret = 'key', salt = '' } = fields;
    const known = secret === 'passphrase' || secret === 'key';
    if (format === ENCRYPTED_FORMAT && known && typeof salt === 'string')
      return { format, version, secret, salt };
  } catch {
    // Told below.
  }
  throw new BackupError('it is no encrypted backup');
}

/** Two keys of one file: no salt comes twice, so that no nonce does under one key. */
async function keysOf(secret: BackupSecret, salt: Buffer): Promise<{ header: Buffer; content: Buffer }> {
  const material =
    secret.kind === 'passphrase'
      ? // Keyboards differ in how they make the same letters.
        await derive(secret.passphrase.normalize('NFC'), salt)
      : secret.key;
  const both = Buffer.from(await promisify(hkdf)('sha256', material, salt, ENCRYPTED_FORMAT, 2 * KEY_BYTES));
  return { header: both.subarray(0, KEY_BYTES), content: both.subarray(KEY_BYTES) };
}

function derive(passphrase: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, KEY_BYTES, SCRYPT, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function macOf(key: Buffer, header: Buffer): Buffer {
  return createHmac('sha256', key).update(header).digest();
}

/** Twelve bytes: the number of the chunk in eleven, and whether it is the last. */
function nonceOf(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(number, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

function seal(key: Buffer, number: number, last: boolean, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number, last));
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined for what was not sealed like this. */
function open(key: Buffer, number: number, last: boolean, frame: Buffer): Buffer | undefined {
  if (frame.length < TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(number, last));
  decipher.setAuthTag(frame.subarray(-TAG_BYTES));
  const plain = decipher.update(frame.subarray(0, -TAG_BYTES));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    return undefined;
  }
}
