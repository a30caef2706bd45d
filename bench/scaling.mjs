import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { Cluster, Redis } from 'ioredis';

import { readValues } from './values.mjs';
import { startChild, stopAll, waitUntilReady } from './children.mjs';
import { runWrk, fault } from './load/wrk.mjs';
import { readOptions } from './options.mjs';
import { PATH } from './peers/index.mjs';
import { GATEHOUSE_MAIN, PRODUCTION_FLAGS, findTools } from './prerequisites.mjs';
import { cpuMicros } from './process-usage.mjs';
import { freePort } from './stage/free-port.mjs';
import { openStage, removeFolders } from './stage/index.mjs';
import { FIRST_NUMBER, apiKey, seed } from './stage/tenants.mjs';

const HELP = `Usage: node bench/scaling.mjs [--seconds 5] [--mode exact]

What a request costs the gateways and Redis, for one process, two workers, two to eight processes, and on a Redis Cluster of three
masters. On two cores that also carry the load, the costs are the result: requests per second follow from them (docs/scaling.md).
`;
const values = readValues(HELP, {
  seconds: { type: 'string', default: '5' },
  mode: { type: 'string', default: 'exact' },
});
const SECONDS = Number(values.seconds);
const TENANTS = 100;
const BOTH_CORES = /** @type {number} */ (/** @type {unknown} */ ('0,1'));
const SHAPES = [
  { title: 'one process', processes: 1, workers: 1, masters: 1 },
  { title: 'one process with WORKERS=2', processes: 1, workers: 2, masters: 1 },
  { title: 'two processes', processes: 2, workers: 1, masters: 1 },
  { title: 'four processes', processes: 4, workers: 1, masters: 1 },
  { title: 'eight processes', processes: 8, workers: 1, masters: 1 },
  { title: 'two processes, Redis Cluster of three', processes: 2, workers: 1, masters: 3 },
];

const tools = findTools();
const stage = await openStage(readOptions([]), tools);
console.log(`RATE_LIMIT_MODE=${values.mode}\n`);
console.log(
  '| | requests/s | gateways, CPU µs/request | Redis, CPU µs/request | share of two cores: gateways, Redis |',
);
console.log('| --- | ---: | ---: | ---: | ---: |');
try {
  for (const shape of SHAPES) await measureShape(shape);
} finally {
  await stopAll();
  removeFolders();
}
process.exit(stage.problems.length === 0 ? 0 : 1);

/** @param {typeof SHAPES[number]} shape */
async function measureShape(shape) {
  const masters = await startMasters(shape.masters);
  const gateways = [];
  for (let n = 0; n < shape.processes; n++) gateways.push(await startGateway(shape, masters.env, n));
  // Each has its own compiler to warm up, on the same two cores.
  await load(gateways, 3 * shape.processes);
  const cpu = (/** @type {Array<{ pid: number }>} */ servers) =>
    servers.reduce((sum, { pid }) => sum + cpuMicros(pid), 0);
  const before = { gateways: cpu(gateways), redis: cpu(masters.servers) };
  const results = await load(gateways, SECONDS);
  const spent = { gateways: cpu(gateways) - before.gateways, redis: cpu(masters.servers) - before.redis };
  const requests = results.reduce((sum, one) => sum + one.requests, 0);
  const micros = Math.max(...results.map(({ durationUs }) => durationUs));
  const share = (/** @type {number} */ used) => `${((used / micros / 2) * 100).toFixed(0)} %`;
  console.log(
    `| ${shape.title} | ${((requests * 1e6) / micros).toFixed(0)} | ${(spent.gateways / requests).toFixed(1)} | ` +
      `${(spent.redis / requests).toFixed(1)} | ${share(spent.gateways)}, ${share(spent.redis)} |`,
  );
  for (const { stop } of [...gateways, ...masters.servers]) await stop();
}

/** @param {Array<{ origin: string }>} gateways @param {number} seconds */
async function load(gateways, seconds) {
  const headers = { 'X-API-Key': 'bench-key-{n}', Authorization: `Bearer ${stage.issuer.token}` };
  const connections = 64 / gateways.length;
  const results = await Promise.all(
    gateways.map(({ origin }) =>
      runWrk({
        tools,
        origin,
        request: { path: PATH, headers },
        core: 0,
        connections,
        seconds,
        numbers: TENANTS,
      }),
    ),
  );
  for (const result of results) {
    const why = fault(result);
    if (why !== undefined) stage.invalid(why);
  }
  return results;
}

/**
 * @param {typeof SHAPES[number]} shape
 * @param {Record<string, string>} redis
 * @param {number} n
 */
async function startGateway({ title, processes, workers }, redis, n) {
  const home = join(stage.dir, `${title.replaceAll(' ', '-')}-${n}`);
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  const child = startChild({
    name: `${title} ${n}`,
    core: processes * workers === 1 ? 1 : BOTH_CORES,
    command: process.execPath,
    args: [...PRODUCTION_FLAGS, GATEHOUSE_MAIN],
    cwd: home,
    env: {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_TOKEN: 'a-token-that-nobody-needs-here',
      DATA_DIR: join(home, 'data'),
      ALLOW_PRIVATE_UPSTREAMS: 'true',
      RATE_LIMIT_MODE: String(values.mode),
      WORKERS: String(workers),
      ...redis,
    },
    log: join(home, 'log'),
  });
  const origin = `http://127.0.0.1:${port}`;
  await waitUntilReady(child, async () => (await fetch(`${origin}/readyz`)).ok);
  const answer = await fetch(origin + PATH, {
    headers: { 'X-API-Key': apiKey(FIRST_NUMBER), Authorization: `Bearer ${stage.issuer.token}` },
  });
  if (!answer.ok) throw new Error(`${title}: ${answer.status} ${await answer.text()}`);
  return { ...child, origin };
}

/** @param {number} count */
async function startMasters(count) {
  const servers = [];
  const ports = [];
  for (let n = 0; n < count; n++) {
    const port = await freePort();
    const home = join(stage.dir, `redis-${port}`);
    mkdirSync(home);
    const clustered = count > 1 ? ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'] : [];
    const plain = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      home,
    ];
    const command = /** @type {{ path: string }} */ (tools['redis-server']).path;
    const child = startChild({
      name: `redis ${port}`,
      core: 0,
      command,
      args: [...plain, ...clustered],
      log: join(home, 'log'),
    });
    await waitUntilReady(child, () => answers(port));
    servers.push(child);
    ports.push(port);
  }
  const common = { upstream: stage.upstream.origin, idp: stage.issuer.idp };
  if (count === 1) {
    const url = `redis://127.0.0.1:${ports[0]}`;
    await seed(url, 'tenants', TENANTS, common);
    return { servers, env: { REDIS_URL: url } };
  }
  await formCluster(ports, common);
  return { servers, env: { REDIS_CLUSTER_NODES: ports.map((port) => `127.0.0.1:${port}`).join(',') } };
}

/** @param {number} port */
async function answers(port) {
  const redis = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null });
  // Said by `connect`, too.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return (await redis.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}

/** Tenants are written to one server alone and copied from there: what writes them knows no clusters. @param {number[]} ports @param {{ upstream: string, idp: object }} common */
async function formCluster(ports, common) {
  const cli = join(dirname(/** @type {{ path: string }} */ (tools['redis-server']).path), 'redis-cli');
  const nodes = ports.map((port) => `127.0.0.1:${port}`);
  execFileSync(cli, ['--cluster', 'create', ...nodes, '--cluster-replicas', '0', '--cluster-yes'], {
    stdio: 'ignore',
  });
  const source = await stage.redis(`source-${ports[0]}`);
  await seed(source.url, 'tenants', TENANTS, common);
  const from = new Redis(source.url);
  const to = new Cluster(ports.map((port) => ({ host: '127.0.0.1', port })));
  await waitForSlots(to);
  for (const name of await from.keys('*')) await to.set(name, (await from.get(name)) ?? '');
  from.disconnect();
  to.disconnect();
  await source.stop();
}

/** @param {Cluster} cluster */
async function waitForSlots(cluster) {
  for (let tries = 0; tries < 100; tries++) {
    const info = /** @type {string} */ (await cluster.cluster('INFO').catch(() => ''));
    if (info.includes('cluster_state:ok')) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the cluster did not come about');
}
