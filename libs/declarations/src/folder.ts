import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const NAMES = /^[^.].*\.(?:ya?ml|json)$/i;

/** What is seen of a file without reading it: it changes whenever the file does, or another takes its place. */
export type Fingerprint = string;

/**
 * Names of what could declare projects in a folder, in order. Hidden names do not: ConfigMaps keep their versions there.
 * @throws the error of the system
 */
export function listFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => NAMES.test(name))
    .sort();
}

/** Follows symbolic links, so that a ConfigMap's swap is seen; `absent` for what leads nowhere. */
export function fingerprintOf(folder: string, file = ''): Fingerprint {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(join(folder, file), { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch {
    return 'absent';
  }
}

/** The text of a file, or why there is none. */
export function textOf(folder: string, file: string): { text: string } | { fault: string } {
  try {
    return { text: readFileSync(join(folder, file), 'utf8') };
  } catch (error) {
    return { fault: `cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}` };
  }
}
