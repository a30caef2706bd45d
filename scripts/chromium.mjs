// Finds a Chromium for the tests of the dashboard and its screenshots, or installs Debian's where it may.
import fs from 'node:fs';
import path from 'node:path';
import { run, say } from './prepare.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const APT = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };

/**
 * TEST_CHROMIUM: the browser. Without one the tests of the dashboard are skipped, and the skipped say why:
 * TEST_CHROMIUM_MISSING. With `fetch`, root on a machine with apt installs the package, once.
 */
export async function chromiumEnvironment({ fetch }) {
  const found = process.env.TEST_CHROMIUM || onPath(NAMES);
  if (found) return { TEST_CHROMIUM: found };
  const problem = fetch ? await install() : 'no Chromium on PATH';
  const installed = onPath(NAMES);
  if (installed) return { TEST_CHROMIUM: installed };
  say(`WARNING: the dashboard is not tried in a browser: ${problem}. To try it: apt-get install chromium`);
  return { TEST_CHROMIUM_MISSING: problem };
}

/** Returns why it could not, or undefined. */
async function install() {
  if (!onPath(['apt-get'])) return 'no Chromium on PATH, and no apt-get to install one with';
  if (process.getuid?.() !== 0) return 'no Chromium on PATH, and only root may install one';
  say('no Chromium on PATH; installing the one of this Debian …');
  const update = await run('apt-get', ['-qq', 'update'], ['ignore', 'ignore', 'ignore'], APT);
  if (update.code !== 0) return 'apt-get update failed';
  const args = ['-qq', 'install', '-y', '--no-install-recommends', 'chromium'];
  const { code } = await run('apt-get', args, ['ignore', 'ignore', 'ignore'], APT);
  return code === 0 ? undefined : 'apt-get install chromium failed';
}

function onPath(names) {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter).filter(Boolean)) {
    for (const name of names) {
      const file = path.join(folder, name);
      try {
        fs.accessSync(file, fs.constants.X_OK);
        return file;
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}
