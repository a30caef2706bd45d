import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * `describe` where `condition` holds, else a skipped block whose title carries the reason: `npm test` lists every
 * skipped test with its title, so nothing is left out silently.
 */
export function skipUnless(condition: boolean, reason: string): (title: string, block: () => void) => void {
  // Looked up only when it is used: the fault table starts the same servers outside jest.
  if (condition) return (title, block) => describe(title, block);
  return (title, block) => describe.skip(`${title} [skipped: ${reason}]`, block);
}

/** Where a program is that some tests run and nobody has to have; undefined where it is not. */
export function programOnPath(name: string): string | undefined {
  // Debian keeps servers where the PATH of a plain user does not look.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}
