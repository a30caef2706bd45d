// The dashboard's part of the build: its packages, the types of its API client, and its pages in dist/dashboard.
//   node scripts/dashboard.mjs --types       makes lint and type check possible: packages and generated types
//   node scripts/dashboard.mjs --typecheck   the same, and checks them
//   node scripts/dashboard.mjs --size        prints what a first visit loads
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { SetupError, npmCi, prepare, readJson, replaceFolder, run, runScript, say } from './prepare.mjs';

// prepare.mjs and this file import each other, so what is worked out at the top cannot come from there.
const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const DIST = path.join(ROOT, 'dist');
const WORK = path.join(ROOT, '.build');
const SOURCE = path.join(ROOT, 'apps', 'dashboard');
const OUT = path.join(DIST, 'dashboard');
const STAMP = path.join(WORK, 'dashboard.json');
const SCHEMA = path.join(SOURCE, 'src', 'api', 'schema.d.ts');
/** Of what is built, beside what the sources say: another one is built anew. */
const FORMAT = 'compressed';
const INPUTS = ['index.html', 'package.json', 'package-lock.json', 'vite.config.ts', 'src', 'public'];

/** True when nothing is to be done at a start: built from these sources, shipped without them, or known not to work. */
export function dashboardIsReady() {
  if (!fs.existsSync(path.join(SOURCE, 'package.json'))) return true;
  const stamp = readJson(STAMP);
  if (stamp?.sources !== sourceSignature()) return false;
  if (stamp.failed) return tellNotBuilt(stamp.failed);
  return fs.existsSync(path.join(OUT, 'index.html'));
}

/** Never fails a start: a gateway without its dashboard is still a gateway. It is tried again by `npm run build`. */
export async function buildDashboard() {
  if (!fs.existsSync(path.join(SOURCE, 'package.json'))) return;
  const sources = sourceSignature();
  const fresh = path.join(WORK, `dashboard-${process.pid}`);
  let failed;
  try {
    await installDashboard();
    const started = Date.now();
    const vite = path.join(SOURCE, 'node_modules', 'vite', 'bin', 'vite.js');
    const args = [vite, 'build', '--logLevel', 'warn', '--emptyOutDir', '--outDir', fresh];
    const { code } = await run(process.execPath, args, ['ignore', 2, 2], { cwd: SOURCE });
    if (code !== 0) throw new SetupError('its build failed');
    compress(fresh);
    replaceFolder(OUT, fresh);
    say(`dashboard built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    if (!(error instanceof SetupError) || error.exitCode > 128) throw error;
    failed = error.message;
    tellNotBuilt(failed);
  } finally {
    fs.rmSync(fresh, { recursive: true, force: true });
  }
  fs.writeFileSync(STAMP, JSON.stringify({ sources, failed }));
}

/** Texts lie there compressed, so that the gateway need not do it for each visit; see PageFiles. */
function compress(folder) {
  for (const file of filesBelow(folder)) {
    if (!/\.(?:js|css|html|svg)$/.test(file)) continue;
    const bytes = fs.readFileSync(file);
    // What fits into one packet anyway gains nothing.
    if (bytes.length < 1400) continue;
    fs.writeFileSync(`${file}.br`, brotliCompressSync(bytes));
    fs.writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
  }
}

function tellNotBuilt(reason) {
  say(`the dashboard is not built (${reason}); everything else works. \`npm run build\` tries again.`);
  return true;
}

async function installDashboard() {
  const wanted = fs.readFileSync(path.join(SOURCE, 'package-lock.json'));
  const mark = path.join(SOURCE, 'node_modules', '.installed');
  const digest = createHash('sha256').update(wanted).digest('hex');
  if (fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === digest) return;
  say('installing the packages of the dashboard …');
  // Nothing in it needs a script, and one more try is enough: offline, a start must not hang.
  const { code } = await npmCi(['--ignore-scripts', '--fetch-retries=1'], { cwd: SOURCE });
  if (code !== 0) throw new SetupError('its packages could not be installed');
  fs.writeFileSync(mark, digest);
}

/** Types of the API from our own OpenAPI document, so that the pages cannot ask for what there is not. */
async function generateTypes() {
  await prepare({ dev: true });
  await installDashboard();
  const built = readJson(path.join(DIST, '.stamp'))?.content;
  const mark = path.join(WORK, 'dashboard-types');
  if (built && fs.existsSync(SCHEMA) && fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === built)
    return;
  const document = path.join(WORK, 'openapi.json');
  await mustRun([path.join(ROOT, 'scripts', 'openapi.mjs'), document]);
  const generator = path.join(SOURCE, 'node_modules', 'openapi-typescript', 'bin', 'cli.js');
  // A field with a default may be left out of a request.
  await mustRun([generator, document, '--default-non-nullable=false', '-o', SCHEMA]);
  fs.writeFileSync(mark, built ?? '');
}

async function checkTypes() {
  await generateTypes();
  await mustRun([path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', SOURCE]);
}

async function mustRun(args) {
  const { code } = await run(process.execPath, args, ['ignore', 2, 2]);
  if (code !== 0) throw new SetupError(`${path.basename(args[0])} failed`);
}

/**
 * The JavaScript that a browser loads before the Overview can be used, in bytes: the entry, what it imports, and the
 * page's own with its imports.
 */
export function firstLoad(page = 'src/overview/overview-page.tsx') {
  const manifest = readJson(path.join(OUT, 'manifest.json'));
  if (!manifest) throw new SetupError('the dashboard is not built: npm run build');
  const files = new Set();
  const add = (name) => {
    const { file, imports = [] } = manifest[name];
    if (files.has(file)) return;
    files.add(file);
    imports.forEach(add);
  };
  add('index.html');
  add(page);
  const sizes = [...files].map((file) => fs.readFileSync(path.join(OUT, file)));
  const sum = (of) => sizes.reduce((total, bytes) => total + of(bytes), 0);
  return {
    files: files.size,
    bytes: sum((bytes) => bytes.length),
    gzipped: sum((bytes) => gzipSync(bytes).length),
  };
}

function sourceSignature() {
  const hash = createHash('sha256').update(FORMAT);
  for (const file of INPUTS.flatMap((name) => [...filesBelow(path.join(SOURCE, name))]).sort()) {
    // The types are gone in what is built.
    if (file === SCHEMA) continue;
    hash
      .update(`${path.relative(SOURCE, file)}\0`)
      .update(fs.readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}

function* filesBelow(place) {
  const stat = fs.statSync(place, { throwIfNoEntry: false });
  if (!stat) return;
  if (stat.isFile()) yield place;
  else for (const name of fs.readdirSync(place)) yield* filesBelow(path.join(place, name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    const [task] = process.argv.slice(2);
    if (task === '--types') return generateTypes();
    if (task === '--typecheck') return checkTypes();
    if (task !== '--size') throw new SetupError('usage: dashboard.mjs --types | --typecheck | --size');
    const { files, bytes, gzipped } = firstLoad();
    const kB = (size) => `${(size / 1000).toFixed(0)} kB`;
    console.log(`first load: ${kB(gzipped)} of JavaScript gzipped (${kB(bytes)} in ${files} files)`);
  });
}
