// Makes a working tree ready to run: installs what package-lock.json asks for and builds dist/, each only when it
// is missing or out of date. Shared by start, build, dev and test. Everything printed goes to stderr, so that the
// stdout of `npm start` is the gateway's log and nothing else.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDashboard, dashboardIsReady } from './dashboard.mjs';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const MAIN = path.join(ROOT, 'dist', 'src', 'main.js');

const DIST = path.join(ROOT, 'dist');
const STAMP = path.join(DIST, '.stamp');
/** Scratch space of builds in progress; on the same file system as dist/, so that a rename is atomic. */
const WORK = path.join(ROOT, '.build');
const SOURCE_FOLDERS = ['src', 'apps', 'libs'];
const BUILD_INPUTS = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/compile.mjs'];

/** A failure whose message is all the user needs: printed without a stack. */
export class SetupError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function say(message) {
  process.stderr.write(`gatehouse: ${message}\n`);
}

/** Runs a script's main function; a SetupError becomes one line and an exit code. */
export async function runScript(main) {
  try {
    return await main();
  } catch (error) {
    say(error instanceof SetupError ? error.message : (error?.stack ?? String(error)));
    process.exit(error instanceof SetupError ? error.exitCode : 1);
  }
}

/**
 * Installs and builds as needed. `dev: true` also asks for the development packages (jest, eslint …); a fresh dist/
 * needs only the production ones, so an image made with `npm ci --omit=dev` starts without installing anything.
 */
export async function prepare({ dev = false, build = true, force = false } = {}) {
  const readyAlready = () => installed({ dev }) && (!build || (!force && isBuilt() && dashboardIsReady()));
  if (readyAlready()) return;
  await withLock(async () => {
    // Whoever held the lock before us may have done the work.
    const mustBuild = build && (force || !isBuilt());
    if (!installed({ dev: dev || mustBuild })) await install();
    if (mustBuild) await compile();
    if (build && (force || !dashboardIsReady())) await buildDashboard();
  });
}

// ---- packages ------------------------------------------------------------------------------------------------

/**
 * Compares package-lock.json with the copy npm keeps of what it installed. npm writes that copy last, so an
 * interrupted install has none; `install` removes it first, so it never outlives the tree it describes.
 */
function installed({ dev }) {
  const wanted = readJson(path.join(ROOT, 'package-lock.json'))?.packages;
  if (!wanted)
    throw new SetupError('package-lock.json is missing or unreadable: restore it from the repository.');
  const present = readJson(path.join(ROOT, 'node_modules', '.package-lock.json'))?.packages;
  if (!present) return false;
  for (const [location, want] of Object.entries(wanted)) {
    if (location === '' || want.link) continue;
    const have = present[location];
    if (!have) {
      // Optional packages are left out by npm where the platform does not match.
      if (want.optional || want.devOptional || (want.dev && !dev)) continue;
      return false;
    }
    if (have.version !== want.version || have.integrity !== want.integrity) return false;
  }
  const direct = { ...wanted[''].dependencies, ...(dev ? wanted[''].devDependencies : {}) };
  return Object.keys(direct).every((name) => fs.existsSync(path.join(ROOT, 'node_modules', name)));
}

async function install() {
  const started = Date.now();
  say('installing packages (npm ci) …');
  fs.rmSync(path.join(ROOT, 'node_modules', '.package-lock.json'), { force: true });
  const result = await npmCi();
  if (result.code !== 0) {
    throw new SetupError(
      `npm ci failed (${describe(result)}). Nothing was started; mend the cause above and run again.`,
    );
  }
  say(`packages installed in ${seconds(started)}`);
}

export function npmCi(more = [], options = {}) {
  // --include=dev: the build needs the compiler, and NODE_ENV=production would leave it out.
  const quietly = ['--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
  const args = ['ci', '--include=dev', ...quietly, ...more];
  // Started by npm, we are told where it is; that also works where `npm` is not an executable (Windows).
  const npmCli = process.env.npm_execpath;
  const viaNode = npmCli && /\.[cm]?js$/.test(npmCli);
  const [command, prefix] = viaNode ? [process.execPath, [npmCli]] : ['npm', []];
  return run(command, [...prefix, ...args], ['ignore', 'ignore', 'inherit'], options);
}

// ---- build ---------------------------------------------------------------------------------------------------

/** True when dist/ was built from exactly these sources. */
function isBuilt() {
  if (!fs.existsSync(MAIN)) return false;
  // An image that ships dist/ without the sources has nothing to compare with.
  if (!fs.existsSync(path.join(ROOT, 'src', 'main.ts'))) return true;
  const stamp = readJson(STAMP);
  if (!stamp) return false;
  const inputs = listInputs();
  const stat = statSignature(inputs);
  if (stamp.stat === stat) return true;
  // A checkout or a copy changes times but not contents: the slower look spares a build.
  if (stamp.content !== contentSignature(inputs)) return false;
  try {
    fs.writeFileSync(STAMP, JSON.stringify({ ...stamp, stat }));
  } catch {
    // A read-only tree pays for the slower look each time.
  }
  return true;
}

async function compile() {
  const started = Date.now();
  say('building …');
  const inputs = listInputs();
  // Taken before the compiler reads: a file saved during the build makes the result stale, never wrongly fresh.
  const stamp = { stat: statSignature(inputs), content: contentSignature(inputs) };
  fs.mkdirSync(WORK, { recursive: true });
  const fresh = fs.mkdtempSync(path.join(WORK, 'dist-'));
  // mkdtemp keeps others out; what root builds, the gateway's own user has to read.
  fs.chmodSync(fresh, 0o755);
  try {
    const compiler = path.join(ROOT, 'scripts', 'compile.mjs');
    // In a process of its own: the compiler's 300 MB heap must not stay with the gateway.
    const result = await run(process.execPath, [compiler, fresh], ['ignore', 2, 2]);
    if (result.code !== 0)
      throw new SetupError(`the build failed (${describe(result)}); dist/ is unchanged.`);
    fs.writeFileSync(path.join(fresh, '.stamp'), JSON.stringify(stamp));
    // The dashboard has sources and a stamp of its own; it moves along.
    const dashboard = path.join(DIST, 'dashboard');
    if (fs.existsSync(dashboard)) fs.renameSync(dashboard, path.join(fresh, 'dashboard'));
    replaceFolder(DIST, fresh);
  } finally {
    fs.rmSync(fresh, { recursive: true, force: true });
  }
  say(`built in ${seconds(started)}`);
}

/** Called by the watcher, which compiles straight into dist/: a half-written tree must not pass for a build. */
export function invalidateBuild() {
  fs.rmSync(STAMP, { force: true });
}

export function replaceFolder(target, source) {
  const old = path.join(WORK, `old-${process.pid}`);
  fs.rmSync(old, { recursive: true, force: true });
  if (fs.existsSync(target)) fs.renameSync(target, old);
  fs.renameSync(source, target);
  fs.rmSync(old, { recursive: true, force: true });
}

function listInputs() {
  const found = BUILD_INPUTS.filter((name) => fs.existsSync(path.join(ROOT, name)));
  for (const folder of SOURCE_FOLDERS) found.push(...listFiles(folder));
  return found.sort();
}

function* listFiles(folder) {
  let entries;
  try {
    entries = fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory() && isCompiled(name)) yield* listFiles(name);
    else if (entry.isFile() && isBuildInput(entry.name)) yield name;
  }
}

/** The dashboard is built by Vite, see dashboard.mjs. */
export function isCompiled(folder) {
  return path.basename(folder) !== 'node_modules' && folder !== path.join('apps', 'dashboard');
}

/** Specs and notes are not part of the product; everything else is compiled or copied. */
export function isBuildInput(fileName) {
  return !/(\.|-)spec\.ts$|\.md$|^\./.test(fileName);
}

function statSignature(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const { size, mtimeMs } = fs.statSync(path.join(ROOT, file));
    hash.update(`${file}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function contentSignature(files) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(fs.readFileSync(path.join(ROOT, file)))
      .update('\0');
  return hash.digest('hex');
}

// ---- one at a time -------------------------------------------------------------------------------------------

const LOCK = path.join(WORK, 'lock');
/** The holder touches its lock every second; one this old belongs to nobody (crash, other container, other host). */
const LOCK_DEAD_MS = 15_000;

/** Two starts on a fresh clone take turns: the second finds the work done. */
async function withLock(work) {
  await takeLock();
  const heartbeat = setInterval(() => {
    try {
      fs.utimesSync(LOCK, new Date(), new Date());
    } catch {
      // Gone: there is nothing to keep alive.
    }
  }, 1000);
  const onSignal = (signal) => {
    running?.kill(signal);
    interrupted = signal;
    if (!running) abandon();
  };
  const abandon = () => {
    fs.rmSync(LOCK, { force: true });
    process.exit(128 + os.constants.signals[interrupted]);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, onSignal);
  try {
    await work();
  } finally {
    clearInterval(heartbeat);
    // The gateway runs in this very process: it must find no handler of ours.
    for (const signal of signals) process.off(signal, onSignal);
    if (interrupted) abandon();
    fs.rmSync(LOCK, { force: true });
  }
}

async function takeLock() {
  const token = `${os.hostname()} ${process.pid} ${Date.now()}`;
  let told = false;
  for (;;) {
    try {
      fs.mkdirSync(WORK, { recursive: true });
      fs.writeFileSync(LOCK, token, { flag: 'wx' });
    } catch (error) {
      if (error.code !== 'EEXIST') {
        throw new SetupError(
          `cannot write to ${ROOT} (${error.code}): installing and building need write access.`,
        );
      }
      if (lockIsDead()) {
        fs.rmSync(LOCK, { force: true });
        continue;
      }
      if (!told) say('another start is installing or building; waiting for it …');
      told = true;
      await pause(200);
      continue;
    }
    // Two waiters may both have removed a dead lock; the one whose token is still there a moment later has it.
    await pause(50);
    if (readText(LOCK) === token) return;
  }
}

function lockIsDead() {
  const [host, pid] = (readText(LOCK) ?? '').split(' ');
  try {
    if (Date.now() - fs.statSync(LOCK).mtimeMs > LOCK_DEAD_MS) return true;
    if (host !== os.hostname()) return false;
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    // ESRCH: the holder is gone. ENOENT: it has just let go. EPERM: alive, another user's.
    return error.code === 'ESRCH' || error.code === 'ENOENT';
  }
}

// ---- small things --------------------------------------------------------------------------------------------

let running;
let interrupted;

/** Runs a child to its end; a signal we receive meanwhile is passed on to it. */
export function run(command, args, stdio, options = {}) {
  return new Promise((resolve, reject) => {
    running = spawn(command, args, { cwd: ROOT, stdio, ...options });
    running.once('error', (error) => reject(new SetupError(`cannot run ${command}: ${error.message}`)));
    running.once('close', (code, signal) => {
      running = undefined;
      if (interrupted)
        reject(new SetupError(`interrupted by ${interrupted}`, 128 + os.constants.signals[interrupted]));
      else resolve({ code, signal });
    });
  });
}

function describe({ code, signal }) {
  return signal ? `killed by ${signal}` : `exit code ${code}`;
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

export function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
