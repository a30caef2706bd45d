// `npm run up`: the set of deploy/compose without Docker: Redis, two data planes, a control plane, Prometheus, a demo
// upstream, and nginx in front where there is one. Prints where everything is; Ctrl-C ends all of it.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { prepare } from '../../scripts/prepare.mjs';
import { PRODUCTION_FLAGS } from '../../scripts/production-flags.mjs';
import { redisEnvironment } from '../../scripts/redis-server.mjs';
import { startNginx } from './nginx.mjs';
import { Processes, answers, freePort, until } from './processes.mjs';
import { Prometheus } from './prometheus.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
/** Outlives the set, so that tenants made in it are there the next time; another one may be given. */
const DATA = path.resolve(process.argv[2] ?? path.join(ROOT, 'data', 'up'));
/** Of deploy/compose/projects/demo.yaml. */
const DEMO_KEY = 'demo-key-of-compose';
/** Ports that are free are taken where these are not. */
const WISHED = { gateway: 8080, admin: 3001, prometheus: 9090 };

const processes = new Processes();
processes.onDeath = ({ name, exit, log }) => process.stderr.write(`${name} ended (${exit}); see ${log}\n`);
const stopped = new Promise((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, resolve);
});
try {
  await Promise.race([up().then(() => stopped), stopped]);
  process.stdout.write('\nstopping …\n');
} catch (error) {
  process.stderr.write(`up: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  await processes.close();
}
process.exit();

async function up() {
  await prepare({ dev: true });
  fs.mkdirSync(DATA, { recursive: true });
  const adminToken = keptToken('admin-token');
  const metricsToken = keptToken('metrics-token');
  const redis = await startRedis();
  const demo = await startDemo();
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(redis),
    METRICS_TOKEN: metricsToken,
    CONFIG_DIR: projects(demo),
    TRUSTED_PROXIES: 'loopback',
    ALLOW_PRIVATE_UPSTREAMS: 'true',
  };
  const planes = [
    await startPlane('data-plane-1', 'data-plane', env),
    await startPlane('data-plane-2', 'data-plane', env),
    await startPlane(
      'control-plane',
      'control-plane',
      { ...env, ADMIN_TOKEN: adminToken },
      await wishedPort(WISHED.admin),
    ),
  ];
  const [first, second, control] = planes.map(({ port }) => port);
  await Promise.all(planes.map(readyOrLastWords));
  const front = await startNginx(processes, ROOT, [first, second], await wishedPort(WISHED.gateway));
  const prometheus = await startPrometheus(metricsToken, planes);
  announce({
    gateway: front ?? first,
    second,
    control,
    prometheus,
    redis,
    adminToken,
    nginx: front !== undefined,
  });
}

/** Made once: whoever starts the set again finds the same. */
function keptToken(name) {
  const file = path.join(DATA, name);
  if (!fs.existsSync(file)) fs.writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  return fs.readFileSync(file, 'utf8').trim();
}

async function startRedis() {
  const { TEST_REDIS_SERVER, TEST_REDIS_LIBS } = await redisEnvironment({ fetch: true });
  if (!TEST_REDIS_SERVER) throw new Error('a redis-server is needed: apt-get install redis-server');
  const port = await freePort();
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: DATA,
    appendonly: 'yes',
    'maxmemory-policy': 'noeviction',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const env = { ...process.env, ...(TEST_REDIS_LIBS ? { LD_LIBRARY_PATH: TEST_REDIS_LIBS } : {}) };
  processes.start('redis', TEST_REDIS_SERVER, args, { env });
  return port;
}

async function startDemo() {
  const port = await freePort();
  const env = { PATH: process.env.PATH, PORT: String(port), HOST: '127.0.0.1' };
  processes.start('demo-upstream', process.execPath, [path.join(ROOT, 'deploy/compose/demo-upstream.mjs')], {
    env,
  });
  return port;
}

/** The projects of Compose, whose upstream is here instead of there. */
function projects(port) {
  const folder = path.join(processes.folder, 'projects');
  fs.mkdirSync(folder);
  const text = fs.readFileSync(path.join(ROOT, 'deploy/compose/projects/demo.yaml'), 'utf8');
  fs.writeFileSync(path.join(folder, 'demo.yaml'), text.replace('demo-upstream:8080', `127.0.0.1:${port}`));
  return folder;
}

async function startPlane(name, kind, env, port) {
  const own = port ?? (await freePort());
  const dataDir = path.join(DATA, name);
  const script = path.join(ROOT, 'dist/src/container.js');
  const started = processes.start(name, process.execPath, [...PRODUCTION_FLAGS, script, kind], {
    env: { ...env, DATA_DIR: dataDir, [kind === 'control-plane' ? 'ADMIN_PORT' : 'PORT']: String(own) },
  });
  return { name, started, port: own };
}

function readyOrLastWords({ name, started, port }) {
  return until(`${name} to be ready`, () => {
    if (started.exit !== undefined) throw new Error(`${name} ended:\n${processes.lastWords(started)}`);
    return answers(`http://127.0.0.1:${port}/readyz`);
  });
}

async function startPrometheus(metricsToken, planes) {
  if (!Prometheus.find()) return undefined;
  const prometheus = new Prometheus();
  await prometheus.start(processes, { root: ROOT, metricsToken, port: await wishedPort(WISHED.prometheus) });
  prometheus.watch(planes.map(({ name, port }) => ({ address: `127.0.0.1:${port}`, labels: { pod: name } })));
  return prometheus.url;
}

/** The wished port if it is free, else another. */
async function wishedPort(port) {
  const taken = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(500) }).then(
    () => true,
    (error) => error.cause?.code !== 'ECONNREFUSED',
  );
  return taken ? freePort() : port;
}

function announce({ gateway, second, control, prometheus, redis, adminToken, nginx }) {
  const front = nginx ? 'nginx, in front of two data planes' : 'the first data plane (no nginx on PATH)';
  process.stdout.write(`
  Gateway         http://127.0.0.1:${gateway}    ${front}${nginx ? '' : `; the other: ${second}`}
  Control plane   http://127.0.0.1:${control}/docs
  Prometheus      ${prometheus ? `${prometheus}/alerts` : 'none on PATH: apt-get install prometheus'}
  Redis           127.0.0.1:${redis}
  Logs            ${processes.folder}
  Admin token     ${adminToken}    (kept in ${path.join(DATA, 'admin-token')})

    curl -H 'X-API-Key: ${DEMO_KEY}' http://127.0.0.1:${gateway}/api/hello
    curl -H 'X-Admin-Token: ${adminToken}' http://127.0.0.1:${control}/admin/tenants

  Ctrl-C stops all of it.
`);
}
