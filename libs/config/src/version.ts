import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Package {
  /** Where its package.json is. */
  readonly root: string;
  readonly version: string;
}

const OWN = packageAbove(__dirname, __dirname);

/** Version of the package that this file belongs to, compiled or not. */
export const VERSION = OWN.version;

/** Folder of that package. */
export const PACKAGE_ROOT = OWN.root;

function packageAbove(folder: string, first: string): Package {
  try {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      name?: string;
      version?: string;
    };
    if (name === 'gatehouse' && version !== undefined) return { root: folder, version };
  } catch {
    // Not this folder.
  }
  const parent = dirname(folder);
  return parent === folder ? { root: first, version: 'unknown' } : packageAbove(parent, first);
}
