import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Redis } from 'ioredis';

import { readValues } from './values.mjs';
import { killAll, startChild, stopAll, waitUntilReady } from './children.mjs';
import { GATEHOUSE_MAIN, PRODUCTION_FLAGS, ROOT } from './prerequisites.mjs';
import { rssBytes } from './process-usage.mjs';
import { median } from './report/statistics.mjs';
import { freePort } from './stage/free-port.mjs';
import { startRedis } from './stage/redis.mjs';

const HELP = `Usage: node bench/keys.mjs [--keys 1000000] [--rounds 5] [--quick]

Compares a Redis with 1,000 API keys, as Gatehouse makes them, with one of a million: start-up time and memory of a replica, the
CPU time of finding a key for the first time and again, and the time of a page of the list at its beginning and in its middle.
Ends with 1 if a look-up costs more than 10 % more; with --quick, two short rounds, if it costs half as much again.
`;
const values = readValues(HELP, {
  keys: { type: 'string', default: '1000000' },
  rounds: { type: 'string', default: '5' },
  quick: { type: 'boolean', default: false },
});
const FEW = 1_000;
const many = values.quick ? 20_000 : Number(values.keys);
const rounds = values.quick ? 2 : Number(values.rounds);
/** What two short rounds beside busy neighbours can tell: whether a price grows, not by how many per cent. */
const BOUND = values.quick ? 1.5 : 1.1;
const TENANT = 't1';
const ADMIN_TOKEN = 'bench-admin-token-0123456789abcdef';
const BATCH = 5_000;
/** Looked up at a time, as in one turn of a busy loop. */
const PER_TURN = 20;

const dir = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'));
process.on('exit', () => {
  killAll();
  rmSync(dir, { recursive: true, force: true });
});

const require = createRequire(GATEHOUSE_MAIN);
const { loadConfig } = require('#libs/config');
const { openStore } = require('#libs/store');
const { TenantDirectory } = require('#libs/tenants');
const quiet = { info() {}, warn() {}, error() {}, debug() {} };

const sides = [];
for (const count of [FEW, many]) {
  const redis = await startRedis({ dir, core: 0, redisServer: 'redis-server', name: `keys-${count}` });
  console.error(`writing ${count} keys`);
  await seed(redis.url, count);
  sides.push({ count, redis, starts: [], memory: [], cold: [], warm: [], first: [], middle: [] });
}
// Where the replicas will run, and away from Redis: moving between cores costs as much as what is measured.
spawnSync('taskset', ['-cp', '1', String(process.pid)]);
for (let round = 0; round < rounds; round++) {
  await lookUp(sides);
  for (const side of sides) await startReplica(side, round);
}
const [few, lots] = /** @type {[any, any]} */ (sides);
const rows = [
  ['start-up, ms', 'starts', 0],
  ['RSS when ready, MB', 'memory', 1],
  ['first look-up of a key, CPU µs', 'cold', 1],
  ['look-up again, CPU µs', 'warm', 2],
  ['first page of the list (100), ms', 'first', 1],
  ['page in its middle, ms', 'middle', 1],
];
console.log(`| | ${FEW} keys | ${many} keys | ratio |`);
console.log('| --- | ---: | ---: | ---: |');
for (const [title, field, digits] of /** @type {[string, string, number][]} */ (rows)) {
  const [a, b] = [median(few[field]), median(lots[field])];
  // Of each round by itself: a slow minute hits both sides.
  const ratio = median(few[field].map((/** @type {number} */ one, i) => lots[field][i] / one));
  const lookUps = field === 'cold' || field === 'warm';
  const verdict = !lookUps ? '' : ` (≤ ${BOUND}: ${ratio <= BOUND ? 'kept' : '**missed**'})`;
  if (lookUps && ratio > BOUND) process.exitCode = 1;
  console.log(`| ${title} | ${a.toFixed(digits)} | ${b.toFixed(digits)} | ${ratio.toFixed(2)}${verdict} |`);
}
for (const { redis } of sides) await redis.stop();
await stopAll();

/** The text of a key is its number: what is measured is finding it. @param {number} n */
function keyOf(n) {
  return `bench-key-${1_000_000 + n}`;
}

/** @param {string} text */
function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}

/** The id of a key sorts as its number does. @param {number} n */
function idOf(n) {
  return `k${String(n).padStart(9, '0')}`;
}

/**
 * Writes keys as the control plane does: mapping with record, pointer, index.
 * @param {string} url
 * @param {number} count
 */
async function seed(url, count) {
  const redis = new Redis(url);
  const tenant = {
    id: TENANT,
    name: 'Bench',
    upstreamBaseUrl: 'http://127.0.0.1:9',
    allowedRoutes: [{ path: '/v1' }],
  };
  await redis.set(`tenant:${TENANT}`, JSON.stringify(tenant));
  await redis.zadd('gatehouse:tenants', 0, TENANT);
  for (let from = 0; from < count; from += BATCH) {
    const pipeline = redis.pipeline();
    for (let n = from; n < Math.min(count, from + BATCH); n++) {
      const id = idOf(n);
      const hash = sha256(keyOf(n));
      const createdAt = '2026-01-01T00:00:00.000Z';
      const shown = { id, name: `key ${n}`, prefix: 'gh_live_abcd', createdAt };
      const record = {
        ...shown,
        tenantId: TENANT,
        enabled: true,
        rateLimit: { windowSeconds: 60, maxRequests: 10 },
      };
      pipeline.set(`tenant:byApiKey:${hash}`, JSON.stringify(record));
      pipeline.set(`gatehouse:{${TENANT}}:key:${id}`, JSON.stringify({ ...shown, hash }));
      pipeline.zadd(`gatehouse:{${TENANT}}:keys`, 0, id);
    }
    const failed = (await pipeline.exec())?.find(([error]) => error !== null);
    if (failed?.[0]) throw failed[0];
  }
  redis.disconnect();
}

/**
 * CPU time of finding keys, in directories that know none yet and then in those that do. Both sides take turns, a thousand
 * look-ups each: a slow second hits both.
 * @param {any[]} sides
 */
async function lookUp(sides) {
  const stages = [];
  for (const side of sides) {
    const env = { REDIS_URL: side.redis.url, REDIS_COMMAND_TIMEOUT_MS: '5000' };
    const store = openStore(loadConfig(env), quiet);
    await store.ready();
    const asked = Array.from({ length: FEW }, (_, i) => keyOf(Math.floor((i * side.count) / FEW)));
    const directories = Array.from({ length: 20 }, () => new TenantDirectory(store, quiet, 3_600_000));
    stages.push({ side, store, asked, directories, cold: 0, warm: 0 });
  }
  const WARM_UP = 5;
  for (let i = 0; i < 20; i++)
    for (const stage of stages) {
      const micros = await cost([stage.directories[i]], stage.asked);
      if (i >= WARM_UP) stage.cold += micros / (20 - WARM_UP);
    }
  const known = 5;
  for (let i = 0; i < 2 * known; i++)
    for (const stage of stages) {
      const again = Array.from({ length: 4 }, () => stage.directories[15 + (i % known)]);
      stage.warm += (await cost(again, stage.asked)) / (2 * known);
    }
  for (const { side, store, cold, warm } of stages) {
    side.cold.push(cold);
    side.warm.push(warm);
    await store.close();
  }
}

/**
 * @param {any[]} directories
 * @param {string[]} asked
 */
async function cost(directories, asked) {
  const before = process.cpuUsage();
  for (const directory of directories) await all(directory, asked);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (directories.length * asked.length);
}

/**
 * @param {any} directory
 * @param {string[]} asked
 */
async function all(directory, asked) {
  for (let from = 0; from < asked.length; from += PER_TURN) {
    const callers = asked.slice(from, from + PER_TURN).map((key) => directory.byApiKey(key));
    if (callers.some((one) => one instanceof Promise)) await Promise.all(callers);
  }
}

/**
 * @param {any} side
 * @param {number} round
 */
async function startReplica(side, round) {
  const home = join(dir, `replica-${side.count}-${round}`);
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  const startedAt = performance.now();
  const child = startChild({
    name: 'replica',
    core: 1,
    command: process.execPath,
    args: [...PRODUCTION_FLAGS, GATEHOUSE_MAIN],
    cwd: ROOT,
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_TOKEN,
      DATA_DIR: join(home, 'data'),
      REDIS_URL: side.redis.url,
      LOG_LEVEL: 'error',
    },
    log: join(home, 'log'),
  });
  const origin = `http://127.0.0.1:${port}`;
  await waitUntilReady(child, async () => (await fetch(`${origin}/readyz`)).status === 200);
  side.starts.push(performance.now() - startedAt);
  side.memory.push(rssBytes(child.pid) / 1e6);
  const list = `${origin}/admin/tenants/${TENANT}/api-keys?limit=100`;
  // The first answer of a process also pays for compiling what answers.
  for (let i = 0; i < 20; i++) await page(list);
  side.first.push(await page(list));
  side.middle.push(await page(`${list}&cursor=${await cursorInTheMiddle(list, side.count)}`));
  await child.stop();
}

/**
 * A cursor is what a page ends with; that of the first one tells how one is made of an id.
 * @param {string} list
 * @param {number} count
 */
async function cursorInTheMiddle(list, count) {
  const { nextCursor } = /** @type {{ nextCursor: string }} */ (await (await ask(list)).json());
  const last = Buffer.from(nextCursor, 'base64url').toString();
  if (!last.includes(idOf(99))) throw new Error(`a cursor is not what it was: ${last}`);
  const middle = last.replace(idOf(99), idOf(Math.floor(count / 2)));
  return Buffer.from(middle).toString('base64url');
}

/** Milliseconds of one page. @param {string} url */
async function page(url) {
  const startedAt = performance.now();
  const { apiKeys } = /** @type {{ apiKeys: unknown[] }} */ (await (await ask(url)).json());
  if (apiKeys.length !== 100) throw new Error(`a page has ${apiKeys.length} keys`);
  return performance.now() - startedAt;
}

/** @param {string} url */
async function ask(url) {
  const response = await fetch(url, { headers: { 'x-admin-token': ADMIN_TOKEN } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response;
}
