// `npm run check:image`: builds the image's files by the steps of the Dockerfile in a clean folder, weighs them, looks
// what they link to, and starts every process as the image would, as a user who may write to DATA_DIR only.
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { validate } from 'dockerfile-utils';
import { buildImage } from './image-steps.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const MAX_BYTES = 200e6;
/** gcr.io/distroless/cc-debian12 unpacked, as it is published (rounded up); it cannot be measured without an engine. */
const RUNTIME_IMAGE_BYTES = 27e6;
/** What that image has of libraries. */
const RUNTIME_LIBRARIES =
  /^(?:linux-vdso|ld-linux-.*|libc|libdl|libm|libpthread|librt|libresolv|libgcc_s|libstdc\+\+|libgomp|libssl|libcrypto)\.so/;
const USER = 65532;
const say = (line) => process.stdout.write(`${line}\n`);

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-image-'));
const children = new Set();
try {
  const problems = validate(readFileSync(join(ROOT, 'deploy/docker/Dockerfile'), 'utf8'));
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  // Packages are installed there: whoever runs the processes has to be let in.
  chmodSync(folder, 0o755);
  const image = buildImage(ROOT, folder, say);
  weigh(image.root);
  look(image.root);
  const before = filesOf(image.root);
  for (const name of ['all-in-one', 'data-plane', 'control-plane']) await tryProcess(image, name);
  await tryTracing(image);
  await tryCommand(image);
  const changed = filesOf(image.root).filter((file, index) => file !== before[index]);
  if (changed.length > 0) throw new Error(`written outside DATA_DIR: ${changed.slice(0, 5).join(', ')}`);
  say('nothing was written outside DATA_DIR');
  say('5 passed, 0 failed');
} catch (error) {
  say(`check:image: ${error.message}`);
  process.exitCode = 1;
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

/** Every file but those of DATA_DIR, with what a write would change. */
function filesOf(root) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !path.startsWith(join(root, 'data/')))
    .sort()
    .map((path) => `${path} ${statSync(path).size} ${statSync(path).mtimeMs}`);
}

function weigh(root) {
  const sizes = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => [join(entry.parentPath ?? entry.path, entry.name), 0])
    .map(([path]) => statSync(path).size);
  const own = sizes.reduce((sum, size) => sum + size, 0);
  const whole = own + RUNTIME_IMAGE_BYTES;
  const mb = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
  say(
    `image: ${mb(own)} of ours (Node ${process.version}) on ${mb(RUNTIME_IMAGE_BYTES)} of the base: ${mb(whole)}`,
  );
  if (whole > MAX_BYTES) throw new Error(`the image is larger than ${mb(MAX_BYTES)}`);
}

/** Nothing may need a library that the base image has not. */
function look(root) {
  const natives = readdirSync(root, { recursive: true })
    .map((path) => join(root, String(path)))
    .filter((path) => path.endsWith('.node') || path.endsWith('bin/node'));
  for (const file of natives) {
    const { stdout } = spawnSync('ldd', [file], { encoding: 'utf8' });
    const libraries = [...stdout.matchAll(/^\s*(?:\S*\/)?(\S+\.so\S*)/gm)].map((match) => match[1]);
    const missing = libraries.filter((name) => !RUNTIME_LIBRARIES.test(name));
    if (libraries.length === 0 || missing.length > 0)
      throw new Error(`${file} needs ${missing.join(', ') || '?'}`);
  }
  say(`${natives.length} binaries need nothing but what the base image has`);
}

/** ENTRYPOINT and HEALTHCHECK name Node by its place in the image. */
function command(image, words) {
  return [join(image.root, words[0]), ...words.slice(1)];
}

function options(image, env) {
  const dataDir = mkdtempSync(join(folder, 'data-'));
  const asRoot = process.getuid?.() === 0;
  if (asRoot) chownSync(dataDir, USER, USER);
  mkdirSync(join(image.root, 'data'), { recursive: true });
  return {
    cwd: join(image.root, image.workdir),
    env: { ...image.env, DATA_DIR: dataDir, ADMIN_TOKEN: 'x'.repeat(40), HOST: '127.0.0.1', ...env },
    ...(asRoot ? { uid: USER, gid: USER } : {}),
  };
}

/** Starts a process and waits until it listens. @returns end(), which resolves to how it ended on SIGTERM. */
async function started(image, name, settings) {
  const [node, ...flags] = command(image, image.entrypoint);
  const child = spawn(node, [...flags, name], { ...settings, stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  const ended = new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal)));
  await listening(child, ended);
  return async () => {
    child.kill('SIGTERM');
    const code = await ended;
    children.delete(child);
    return code;
  };
}

async function tryProcess(image, name) {
  const settings = options(image, { PORT: '33981', ADMIN_PORT: '33982' });
  const end = await started(image, name, settings);
  const [probe, ...words] = command(image, image.healthcheck);
  const health = spawnSync(probe, words, settings);
  if (name !== 'data-plane') await tryPage(name);
  const code = await end();
  if (health.status !== 0) throw new Error(`${name}: HEALTHCHECK says ${health.status}: ${health.stderr}`);
  if (code !== 0) throw new Error(`${name}: SIGTERM ended it with ${code}`);
  if (spawnSync(probe, words, settings).status !== 1)
    throw new Error('HEALTHCHECK finds a process that has ended');
  say(`${name}: serves, is healthy, ends with 0 on SIGTERM`);
}

/** The dashboard is in the image, with the licences of what it is made of. */
async function tryPage(name) {
  const at = (path) => fetch(`http://127.0.0.1:33982/dashboard${path}`);
  const [page, licences] = await Promise.all([at('/'), at('/licences.txt')]);
  if (
    !(await page.text()).includes('<html') ||
    !(await licences.text()).includes('Permission is hereby granted')
  )
    throw new Error(`${name}: the dashboard answers ${page.status}, its licences ${licences.status}`);
}

/** OpenTelemetry is loaded only where it is asked for: what pruning has taken from it would show nowhere else. */
async function tryTracing(image) {
  let told;
  const spans = new Promise((resolve) => (told = resolve));
  const collector = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
      told(text);
    });
  });
  await new Promise((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${collector.address().port}`;
  const end = await started(
    image,
    'data-plane',
    options(image, { PORT: '33981', OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }),
  );
  await (await fetch('http://127.0.0.1:33981/api/x')).text();
  const code = await end();
  const text = await Promise.race([spans, new Promise((resolve) => setTimeout(resolve, 5000, ''))]);
  collector.closeAllConnections();
  collector.close();
  if (code !== 0 || !text.includes('resourceSpans'))
    throw new Error(`data-plane: no spans by OTLP (${code})`);
  say('data-plane with tracing: its spans arrive');
}

function listening(child, ended) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.includes('"msg":"listening"')) resolve();
    });
    void ended.then((code) => reject(new Error(`ended with ${code} before it listened:\n${text}`)));
    setTimeout(() => reject(new Error(`does not listen:\n${text}`)), 20_000).unref();
  });
}

async function tryCommand(image) {
  const [node, ...flags] = command(image, image.entrypoint);
  const { status, stdout } = spawnSync(node, [...flags, 'cli', '--version'], {
    ...options(image, {}),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`cli --version ended with ${status}`);
  say(`cli: ${stdout.trim()}`);
}
