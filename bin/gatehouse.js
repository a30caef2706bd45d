#!/usr/bin/env node
'use strict';
// Starts the built command line (apps/cli). In a clone it builds what is missing first, as `npm start` does.
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

const ROOT = join(__dirname, '..');
const MAIN = join(ROOT, 'dist', 'apps', 'cli', 'src', 'main.js');
const PREPARE = join(ROOT, 'scripts', 'prepare.mjs');

const built = existsSync(MAIN);
const inClone = existsSync(join(ROOT, 'src', 'main.ts')) && existsSync(PREPARE);
// A client command runs with whatever build there is, for it has to be quick; a gateway is to be that of the sources.
if (inClone && (!built || process.argv[2] === 'serve')) {
  import(pathToFileURL(PREPARE).href).then(async ({ prepare, runScript }) => {
    await runScript(() => prepare());
    require(MAIN);
  });
} else if (built) {
  require(MAIN);
} else {
  process.stderr.write('gatehouse: it is not built: run "npm run build" first\n');
  process.exitCode = 1;
}
