// Finds a real redis-server for the tests, or fetches Debian's. The tests start, flush, kill and restart instances
// of their own; none of them touches a Redis that is already running.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT, SetupError, run, say } from './prepare.mjs';

const CACHE = path.join(ROOT, 'node_modules', '.cache', 'redis');
const NAMES = ['redis-server', 'valkey-server'];

/**
 * The environment the test helpers read:
 * TEST_REDIS_SERVER  a redis-server or valkey-server binary (its -cli beside it),
 * TEST_REDIS_LIBS    a library path to run it with, when it is a fetched copy,
 * TEST_REDIS_URL     the caller's REDIS_URL: the contract suites run there, in an empty database of it.
 * With `fetch`, a missing binary is fetched; without one and without REDIS_URL this throws, saying what to do.
 */
export async function redisEnvironment({ fetch }) {
  const url = process.env.TEST_REDIS_URL || process.env.REDIS_URL;
  const given = url ? { TEST_REDIS_URL: url } : {};
  const local = givenServer() ?? serverOnPath() ?? fetchedServer();
  if (local) return { ...given, ...local };
  const problem = fetch ? await fetchServer() : 'not tried';
  const fetched = fetchedServer();
  if (fetched) return { ...given, ...fetched };
  if (url) {
    say(
      'WARNING: no redis-server binary; only the contract suites run, against REDIS_URL. Tests that restart, pause',
    );
    say('         or cluster a Redis are SKIPPED and listed at the end. Install redis-server to run them.');
    return given;
  }
  throw new SetupError(
    `the tests need a real Redis, and none could be had (${problem}).\n` +
      '  Do one of these and run again:\n' +
      '    apt-get install redis-server      (Debian, Ubuntu)\n' +
      '    brew install redis                (macOS)\n' +
      '    TEST_REDIS_SERVER=/path/to/redis-server npm test\n' +
      '    REDIS_URL=redis://host:6379 npm test      (a part of the tests)\n' +
      '    npm run test:unit                 (needs no Redis)',
  );
}

function givenServer() {
  const binary = process.env.TEST_REDIS_SERVER;
  if (!binary) return undefined;
  if (!isExecutable(binary)) throw new SetupError(`TEST_REDIS_SERVER=${binary} is not an executable file.`);
  const libs = process.env.TEST_REDIS_LIBS;
  return { TEST_REDIS_SERVER: binary, ...(libs ? { TEST_REDIS_LIBS: libs } : {}) };
}

function serverOnPath() {
  const binary = onPath(NAMES);
  return binary && { TEST_REDIS_SERVER: binary };
}

function fetchedServer() {
  const binary = path.join(CACHE, 'usr', 'bin', 'redis-server');
  if (!isExecutable(binary)) return undefined;
  return { TEST_REDIS_SERVER: binary, TEST_REDIS_LIBS: libraryFolders(CACHE).join(':') };
}

/**
 * Unpacks Debian's packages into node_modules/.cache, with package lists of our own: works for any user, installs
 * nothing, starts no service, changes nothing of the system. Returns why it could not, or undefined.
 */
async function fetchServer() {
  if (!onPath(['apt-get']) || !onPath(['dpkg']))
    return 'no redis-server on PATH, and no apt-get to fetch it with';
  say('no redis-server on PATH; fetching the one of this Debian into node_modules/.cache …');
  const scratch = `${CACHE}.tmp-${process.pid}`;
  try {
    fs.rmSync(scratch, { recursive: true, force: true });
    for (const folder of ['lists/partial', 'archives/partial', 'debs', 'root']) {
      fs.mkdirSync(path.join(scratch, folder), { recursive: true });
    }
    const options = [
      `Dir::State::lists=${scratch}/lists`,
      `Dir::Cache=${scratch}`,
      'APT::Sandbox::User=root',
      'Debug::NoLocking=1',
    ].flatMap((option) => ['-o', option]);
    const update = await apt(scratch, [...options, '-qq', 'update']);
    if (update) return `apt-get update failed: ${update}`;
    const download = await apt(path.join(scratch, 'debs'), [
      ...options,
      '-qq',
      'download',
      ...missing(options),
    ]);
    if (download) return `apt-get download failed: ${download}`;
    const root = path.join(scratch, 'root');
    for (const deb of fs.readdirSync(path.join(scratch, 'debs'))) {
      const { code } = await run('dpkg', ['-x', path.join(scratch, 'debs', deb), root], ['ignore', 2, 2]);
      if (code !== 0) return `dpkg -x ${deb} failed`;
    }
    const trial = spawnSync(path.join(root, 'usr/bin/redis-server'), ['--version'], {
      encoding: 'utf8',
      env: { ...process.env, LD_LIBRARY_PATH: libraryFolders(root).join(':') },
    });
    if (trial.status !== 0)
      return `the fetched redis-server does not run: ${trial.stderr?.trim() || trial.error}`;
    fs.rmSync(CACHE, { recursive: true, force: true });
    fs.renameSync(root, CACHE);
    say(`fetched ${trial.stdout.trim().split(' ').slice(0, 3).join(' ')}`);
    return undefined;
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** What apt would install for redis (and openssl, for the TLS tests), dependencies included, minus what is there. */
function missing(options) {
  const wanted = ['redis-server', 'redis-tools', ...(onPath(['openssl']) ? [] : ['openssl'])];
  const plan = spawnSync('apt-get', [...options, '-s', 'install', '--no-install-recommends', ...wanted], {
    encoding: 'utf8',
  });
  // Never the C library: it has to be the one of the running loader.
  const planned = [...plan.stdout.matchAll(/^Inst (?!libc6\b)(\S+)/gm)].map((match) => match[1]);
  return planned.length > 0 ? [...new Set([...planned, ...wanted])] : wanted;
}

async function apt(cwd, args) {
  const log = path.join(cwd, 'apt.log');
  const fd = fs.openSync(log, 'w');
  try {
    const { code } = await run('apt-get', args, ['ignore', fd, fd], { cwd });
    // `update` ends with 0 even when no list could be fetched; its warnings tell.
    const output = fs.readFileSync(log, 'utf8').trim();
    const failed = code !== 0 || /^(E|W): (Failed to fetch|Some index files failed)/m.test(output);
    return failed ? output.split('\n').slice(-3).join(' | ') || `exit code ${code}` : undefined;
  } finally {
    fs.closeSync(fd);
    fs.rmSync(log, { force: true });
  }
}

function libraryFolders(root) {
  const folders = [];
  for (const base of ['usr/lib', 'lib']) {
    const folder = path.join(root, base);
    if (!fs.existsSync(folder)) continue;
    folders.push(folder);
    for (const entry of fs.readdirSync(folder))
      if (entry.includes('-linux-')) folders.push(path.join(folder, entry));
  }
  return folders;
}

function onPath(names) {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  // Debian keeps some servers where the PATH of a plain user does not look.
  for (const folder of [...folders, '/usr/sbin', '/usr/local/sbin']) {
    for (const name of names) {
      const file = path.join(folder, name);
      if (isExecutable(file)) return file;
    }
  }
  return undefined;
}

function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
