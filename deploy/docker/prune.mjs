// Removes from the folders given as arguments what no process reads at run time: source maps, types, notes, tests, the
// other builds of packages that bring several. Half the size of the packages. `npm run check:image` starts every
// process from what is left.
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const UNREAD_FILES = /\.(?:map|ts|mts|cts|flow|md|markdown)$/;
/** By the end of the path; the licences of all packages stay. */
const UNREAD_FOLDERS =
  /(?:\/@libsql\/[^/]+-musl|\/rxjs\/(?:src|dist\/(?:bundles|esm|esm5|types))|\/class-validator\/(?:bundles|esm5|esm2015|types)|\/libphonenumber-js\/(?:bundle|es6|es6-modern|source|mobile|min)|\/bintrees\/test|\/zod\/src|\/lodash\/fp|\/@opentelemetry\/[^/]+\/build\/(?:esm|esnext))$/;

function prune(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() ? UNREAD_FOLDERS.test(path) : UNREAD_FILES.test(entry.name))
      rmSync(path, { recursive: true });
    else if (entry.isDirectory()) prune(path);
  }
}

function bytesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0);
}

const megabytes = (folder) => `${(bytesOf(folder) / 1e6).toFixed(1)} MB`;

for (const folder of process.argv.slice(2)) {
  const before = megabytes(folder);
  prune(folder);
  process.stdout.write(`${folder}: ${before} -> ${megabytes(folder)}\n`);
}
