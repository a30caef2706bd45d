import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { prepare } from '../scripts/prepare.mjs';

export const BENCH = fileURLToPath(new URL('.', import.meta.url));
export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const GATEHOUSE_MAIN = join(ROOT, 'dist/src/main.js');
export const DATA_PLANE_MAIN = join(ROOT, 'dist/apps/data-plane/src/main.js');
export { PRODUCTION_FLAGS } from '../scripts/production-flags.mjs';

/** Debian keeps servers in sbin, which is not on the PATH of an ordinary user. */
const SEARCH = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

const TOOLS = /** @type {const} */ ({
  taskset: { debian: 'util-linux', version: ['--version'] },
  wrk: { debian: 'wrk', version: ['-v'] },
  nginx: { debian: 'nginx', version: ['-v'] },
  'redis-server': { debian: 'redis-server', version: ['--version'] },
  caddy: { debian: 'caddy', version: ['version'] },
  haproxy: { debian: 'haproxy', version: ['-v'] },
});

/** Without these there is no load, no upstream and no fair core to run on; every other tool only costs its peers. */
const INDISPENSABLE = ['taskset', 'wrk', 'nginx'];

/** @typedef {Partial<Record<keyof typeof TOOLS, { path: string, version: string }>>} Tools */

/**
 * Finds the servers and the load generator.
 * @returns {Tools}
 * @throws {Error} when one is missing that nothing works without
 */
export function findTools() {
  /** @type {Tools} */
  const found = {};
  for (const [name, { debian, version }] of Object.entries(TOOLS)) {
    const path = SEARCH.map((folder) => join(folder, name)).find(isExecutable);
    if (path !== undefined) {
      found[/** @type {keyof typeof TOOLS} */ (name)] = { path, version: versionOf(path, version) };
    } else if (INDISPENSABLE.includes(name)) {
      throw new Error(
        `${name} is not on the PATH and nothing can be measured without it (Debian: apt-get install ${debian})`,
      );
    } else {
      console.error(
        `!!! ${name} is not on the PATH: its peers are left out (Debian: apt-get install ${debian})`,
      );
    }
  }
  return found;
}

/**
 * Installs the peers where they are missing, and the product and its build where they are missing or stale: yesterday's build under
 * today's commit would be the worst of figures.
 * @param {import('./options.mjs').Options} options
 */
export async function ensureInstalled({ only, peers }) {
  // npm writes this file last, so an installation that was interrupted has none.
  if (!existsSync(join(BENCH, 'node_modules/.package-lock.json'))) installPeers();
  const measuresGatehouse =
    only.includes('scale') || (peers?.some((id) => id.startsWith('gatehouse')) ?? true);
  if (measuresGatehouse) await prepare();
}

/** The commit that is measured, with a mark if files differ from it. */
export function commit() {
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const dirty = git('status', '--porcelain', '--', '.', ':!bench/RESULTS.md') !== '';
    return git('rev-parse', '--short', 'HEAD') + (dirty ? ' with local changes' : '');
  } catch {
    return 'none';
  }
}

/**
 * @param {string} path
 * @param {readonly string[]} args
 */
function versionOf(path, args) {
  // nginx and wrk print theirs to stderr, and wrk ends with 1 while doing so.
  const { stdout, stderr } = spawnSync(path, args, { encoding: 'utf8' });
  return /v?(\d+\.\d+(\.\d+)?)/.exec(stdout + stderr)?.[1] ?? 'unknown';
}

function installPeers() {
  console.error('installing the peers (npm ci) …');
  // Not what is for the dashboard, which is large. The output goes to stderr: stdout is the report.
  const args = ['ci', '--omit=dev', '--prefix', BENCH, '--no-progress', '--loglevel=error'];
  const { status } = spawnSync('npm', args, { cwd: BENCH, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('npm ci in bench/ failed');
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The version that Gatehouse's package.json names. */
export function productVersion() {
  return packageVersion(join(ROOT, 'package.json'));
}

/**
 * The installed version of a peer's package.
 * @param {string} name
 */
export function peerVersion(name) {
  return packageVersion(join(BENCH, 'node_modules', name, 'package.json'));
}

/** @param {string} path */
function packageVersion(path) {
  return /** @type {{ version: string }} */ (JSON.parse(readFileSync(path, 'utf8'))).version;
}
