// What lockfiles name, and what of it is shipped: for `npm run licences` and `npm run sbom`.
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from './prepare.mjs';

export const LOCKS = [
  'package-lock.json',
  'apps/dashboard/package-lock.json',
  'docs/package-lock.json',
  'bench/package-lock.json',
];

/** What the dashboard is built and checked with, and nothing of it is in the page; whatever else it names is. */
const DASHBOARD_TOOLS = [
  '@types/react',
  '@types/react-dom',
  '@vitejs/plugin-react',
  'openapi-typescript',
  'typescript',
  'vite',
];

/** Of packages that say it in a form that lock files leave out (`licenses`, or a file only), read in the package itself. */
const SAID_ELSEWHERE = { 'parse-cache-control 1.0.1': 'BSD-3-Clause' };

/**
 * The packages of a lockfile. Nothing of what builds the documentation or is measured against is shipped.
 * @param {string} file absolute
 */
export function packagesOf(file) {
  const { packages } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const lock = path.relative(ROOT, file);
  const shipped = shippedPlaces(packages, lock);
  return Object.entries(packages)
    .filter(([place, { link }]) => place !== '' && !link)
    .map(([place, { version, license }]) => ({
      name: nameOf(place),
      version,
      licence:
        license ??
        installedLicence(path.join(path.dirname(file), place)) ??
        SAID_ELSEWHERE[`${nameOf(place)} ${version}`] ??
        'none',
      shipped: shipped(place),
      lock,
    }));
}

/**
 * @param {Record<string, any>} packages
 * @param {string} lock
 * @returns {(place: string) => boolean}
 */
function shippedPlaces(packages, lock) {
  if (/^(?:docs|bench)\//.test(lock)) return () => false;
  if (!lock.startsWith('apps/dashboard/')) return (place) => !packages[place].dev;
  // All of it is needed at build time only, and a part of that goes into the page.
  const { dependencies = {}, devDependencies = {} } = packages[''] ?? {};
  const bundled = Object.keys({ ...dependencies, ...devDependencies }).filter(
    (name) => !DASHBOARD_TOOLS.includes(name),
  );
  const found = new Set();
  const visit = (name, from) => {
    const place = placeOf(packages, name, from);
    if (place === undefined || found.has(place)) return;
    found.add(place);
    const { dependencies: below = {}, peerDependencies: peers = {} } = packages[place];
    // Peers that nobody has installed are not there; types are no part of a page.
    for (const next of Object.keys({ ...below, ...peers }))
      if (!next.startsWith('@types/')) visit(next, place);
  };
  for (const name of bundled) visit(name, '');
  return (place) => found.has(place);
}

/**
 * Where Node finds a package from where another lies.
 * @param {Record<string, any>} packages
 * @param {string} name
 * @param {string} from
 */
function placeOf(packages, name, from) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[place] !== undefined) return place;
    if (folder === '') return undefined;
  }
}

/** @param {string} place */
function nameOf(place) {
  return place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/**
 * Old packages name theirs in another field, which lockfiles leave out.
 * @param {string} folder
 * @returns {string | undefined}
 */
function installedLicence(folder) {
  try {
    const { license, licenses } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const named = [license ?? licenses ?? []].flat().map((one) => one.type ?? one);
    return named.length > 0 ? named.join(' AND ') : undefined;
  } catch {
    return undefined;
  }
}
