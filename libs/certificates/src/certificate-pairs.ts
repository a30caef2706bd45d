import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TlsConfig } from '#libs/config';
import { DEFAULT } from './certificate-choice';

/** Where a certificate and its key lie. */
export interface CertificatePair {
  readonly name: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** What there is to load, and the folders in which a change of it shows. */
export interface FoundPairs {
  readonly pairs: readonly CertificatePair[];
  readonly folders: readonly string[];
}

/** More is a mistake, such as the root of a disk. */
const MAX_PAIRS = 1000;

/**
 * The pairs of the settings: the one that is named, which is the default, then those of the folder by name.
 * @throws Error when the folder cannot be read.
 */
export async function findPairs({ pair, dir }: Pick<TlsConfig, 'pair' | 'dir'>): Promise<FoundPairs> {
  const pairs: CertificatePair[] = [];
  const folders = new Set<string>();
  if (pair) {
    pairs.push({ name: DEFAULT, ...pair });
    folders.add(dirname(pair.certFile)).add(dirname(pair.keyFile));
  }
  if (dir !== undefined) {
    folders.add(dir);
    for (const found of await inFolder(dir)) {
      // The one that is named in the settings stays the default.
      pairs.push(pair && found.name === DEFAULT ? { ...found, name: `${DEFAULT} (folder)` } : found);
      folders.add(dirname(found.certFile));
    }
  }
  if (pairs.length > MAX_PAIRS) throw new Error(`there are more than ${MAX_PAIRS} certificates`);
  return { pairs, folders: [...folders] };
}

async function inFolder(dir: string): Promise<CertificatePair[]> {
  const entries = await visibleNames(dir);
  const pairs = pairsAmong(dir, entries);
  const beside = new Set(pairs.flatMap(({ certFile, keyFile }) => [certFile, keyFile]));
  for (const entry of entries) {
    const folder = join(dir, entry);
    if (beside.has(folder) || !(await isFolder(folder))) continue;
    const names = await visibleNames(folder);
    // Kubernetes' secrets of type kubernetes.io/tls, mounted one beside the other.
    if (names.includes('tls.crt') && names.includes('tls.key'))
      pairs.push({ name: entry, certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') });
  }
  return pairs;
}

function pairsAmong(dir: string, names: readonly string[]): CertificatePair[] {
  const pairs: CertificatePair[] = [];
  for (const keyName of names) {
    if (!keyName.endsWith('.key')) continue;
    const name = keyName.slice(0, -'.key'.length);
    const certName = [`${name}.crt`, `${name}.pem`].find((candidate) => names.includes(candidate));
    if (certName) pairs.push({ name, certFile: join(dir, certName), keyFile: join(dir, keyName) });
  }
  return pairs;
}

/** Sorted, and without what Kubernetes hides: `..data` and the generation it points to. */
async function visibleNames(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => !name.startsWith('.')).sort();
}

/** Follows symbolic links, as everything in a mounted secret is one. */
async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

/** A text that is another whenever a file of the pairs is another: by identity, size and times, not by content. */
export async function stateOf(pairs: readonly CertificatePair[]): Promise<string> {
  const states = await Promise.all(
    pairs.map(async ({ name, certFile, keyFile }) =>
      [name, certFile, await stateOfFile(certFile), await stateOfFile(keyFile)].join(' '),
    ),
  );
  return states.join('\n');
}

function stateOfFile(file: string): Promise<string> {
  return stat(file).then(
    ({ ino, size, mtimeMs, ctimeMs }) => `${ino} ${size} ${mtimeMs} ${ctimeMs}`,
    (error: NodeJS.ErrnoException) => error.code ?? 'unreadable',
  );
}
