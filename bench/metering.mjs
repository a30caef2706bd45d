import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readValues } from './values.mjs';
import { killAll, stopAll } from './children.mjs';
import { GATEHOUSE_MAIN } from './prerequisites.mjs';
import { median } from './report/statistics.mjs';
import { startRedis } from './stage/redis.mjs';

const HELP = `Usage: node bench/metering.mjs [--rounds 5] [--requests 200000] [--quick]

What counting costs on the request path: recording one request's usage and money (a line in the journal included, and its
share of the publication to Redis), and deciding one request's limits from tokens on lease. CPU time of the process, user and
kernel, of all its threads. Ends with 1 if usage costs more than 5 µs, or a leased decision more than 2 µs.
`;
const values = readValues(HELP, {
  rounds: { type: 'string', default: '5' },
  requests: { type: 'string', default: '200000' },
  quick: { type: 'boolean', default: false },
});
const rounds = values.quick ? 2 : Number(values.rounds);
const requests = values.quick ? 40_000 : Number(values.requests);
/** As many as come in with one turn of a busy loop. */
const PER_TURN = 20;
/** Keys in use, each a series of its own. */
const KEYS = 50;

const dir = mkdtempSync(join(tmpdir(), 'gatehouse-metering-'));
process.on('exit', () => {
  killAll();
  rmSync(dir, { recursive: true, force: true });
});

const require = createRequire(GATEHOUSE_MAIN);
const { loadConfig } = require('#libs/config');
const { openStore } = require('#libs/store');
const { RateLimiter } = require('#libs/guards');
const { UsageMeter } = require('#libs/usage');
const quiet = { info() {}, warn() {}, error() {}, debug() {} };

const redis = await startRedis({ dir, core: 0, redisServer: 'redis-server', name: 'metering' });
const store = openStore(loadConfig({ REDIS_URL: redis.url, REDIS_COMMAND_TIMEOUT_MS: '5000' }), quiet);
await store.ready();
await store.fleet.join();

const meter = new UsageMeter(store, quiet, dir);
const series = Array.from({ length: KEYS }, (_, i) =>
  meter.series('bench', '1', `key-${i}`, '/v1', 1_000_000, ''),
);
const leased = new RateLimiter(store, 'leased');
const exact = new RateLimiter(store, 'exact');
const claimOf = (/** @type {string} */ name) => [
  { key: `rl:{bench}:${name}:tenant`, capacity: 1_000_000_000, windowMs: 60_000, local: undefined },
  { key: `rl:{bench}:${name}:key`, capacity: 1_000_000_000, windowMs: 60_000, local: undefined },
];
const [leasedClaim, exactClaim] = [claimOf('leased'), claimOf('exact')];

const jobs = {
  'the loop itself': () => undefined,
  'usage and money of a request': (/** @type {number} */ i) =>
    meter.record(series[i % KEYS], 200, 0, 110, true),
  'two limits, leased': () => leased.take(leasedClaim),
  'two limits, exact': () => exact.take(exactClaim),
};
/** @type {Record<string, number[]>} */
const costs = Object.fromEntries(Object.keys(jobs).map((name) => [name, []]));
for (let round = 0; round <= rounds; round++) {
  for (const [name, job] of Object.entries(jobs)) {
    const us = await cost(job);
    // The first round warms the compiler up.
    if (round > 0) costs[name]?.push(us);
  }
}

const loop = median(costs['the loop itself'] ?? []);
const net = (/** @type {string} */ name) => median(costs[name] ?? []) - loop;
const usage = net('usage and money of a request');
const lease = net('two limits, leased');
console.log('| per request | CPU µs | |');
console.log('| --- | ---: | --- |');
console.log(
  `| usage and money, journal and publication included | ${usage.toFixed(2)} | ${verdict(usage, 5)} |`,
);
console.log(`| two limits, leased | ${lease.toFixed(2)} | ${verdict(lease, 2)} |`);
console.log(`| two limits, exact, in turns of ${PER_TURN} | ${net('two limits, exact').toFixed(2)} | |`);

await Promise.all([meter.close(), leased.close(), exact.close()]);
await store.close();
await redis.stop();
await stopAll();

/**
 * CPU microseconds of one call, whatever it causes in the background included.
 * @param {(i: number) => unknown} job
 */
async function cost(job) {
  const before = process.cpuUsage();
  for (let done = 0; done < requests; done += PER_TURN) {
    /** @type {unknown[]} */
    let waiting;
    for (let i = 0; i < PER_TURN; i++) {
      const result = job(done + i);
      if (result instanceof Promise) (waiting ??= []).push(result);
    }
    if (waiting) await Promise.all(waiting);
    else await new Promise((resolve) => setImmediate(resolve));
  }
  await meter.flush();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / requests;
}

/**
 * @param {number} us
 * @param {number} most
 */
function verdict(us, most) {
  if (us <= most) return `≤ ${most}: kept`;
  process.exitCode = 1;
  return `≤ ${most}: **missed**`;
}
