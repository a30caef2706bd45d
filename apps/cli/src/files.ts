import { closeSync, fchmodSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { relative } from 'node:path';
import type { Document } from './admin-api';
import { misuse } from './failure';

/**
 * A JSON or YAML document from a file, or from stdin if `-` is named.
 * @throws Failure naming line and column of what cannot be read
 */
export async function readDocument(file: string): Promise<Document> {
  const name = file === '-' ? 'stdin' : file;
  const { parse } = await import('yaml');
  let document: unknown;
  try {
    document = parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    throw misuse(`${name} cannot be read: ${(error as Error).message.split('\n')[0]}`);
  }
  if (typeof document === 'object' && document !== null && !Array.isArray(document))
    return document as Document;
  throw misuse(`${name} must hold an object`);
}

/** A file that did not exist, for a secret that is still to be made. */
export interface SecretFile {
  keep(secret: string): void;
  /** When there is no secret after all. */
  discard(): void;
}

/**
 * Makes the file before there is anything to write: a secret that is shown once must not meet a full disk or a folder
 * that is not there. Only its owner may read it.
 * @throws Failure if it exists or cannot be made
 */
export function openSecretFile(file: string): SecretFile {
  let handle: number;
  try {
    handle = openSync(file, 'wx', 0o600);
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw misuse(`${file} cannot be made: ${exists ? 'there is such a file' : (error as Error).message}`);
  }
  // The umask takes rights away only, but a default ACL of the folder may add some.
  fchmodSync(handle, 0o600);
  return {
    keep(secret) {
      writeSync(handle, `${secret}\n`);
      closeSync(handle);
    },
    discard() {
      closeSync(handle);
      rmSync(file, { force: true });
    },
  };
}

/** The name of a file as it would be typed. */
export function here(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') ? file : path;
}
