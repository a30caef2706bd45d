import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readValues } from './values.mjs';
import { killAll, stopAll } from './children.mjs';
import { GATEHOUSE_MAIN } from './prerequisites.mjs';
import { startRedis } from './stage/redis.mjs';

const HELP = `Usage: node bench/revocations.mjs [--revocations 1000,1000000] [--quick]

What the data plane pays to know whether a token was revoked, with few and with many revocations in Redis: for a token that
it has seen before, and for one that it has not. Ends with 1 if the first grows with their number by more than half.
`;
const values = readValues(HELP, {
  revocations: { type: 'string', default: '1000,1000000' },
  quick: { type: 'boolean', default: false },
});
const sizes = values.quick ? [1_000, 10_000] : values.revocations.split(',').map(Number);
/** Tokens in use at a time, a tenth of them revoked. */
const SEEN = 1_000;
const CHECKS = values.quick ? 200_000 : 5_000_000;
const ROUNDS = 5;
const PER_SCRIPT = 50_000;
const SEED = `for i = ARGV[1], ARGV[2] do
  redis.call('SET', 'tenant:token:seeded-' .. i, '{"revoked":{"at":"2030-01-01T00:00:00Z","actor":"owner","reason":"lost"}}')
end`;

const require = createRequire(GATEHOUSE_MAIN);
const { Redis } = require('ioredis');
const { loadConfig } = require('#libs/config');
const { openStore } = require('#libs/store');
const { TokenRevocations } = require('#libs/tokens');
const quiet = { info() {}, warn() {}, error() {}, debug() {} };

const dir = mkdtempSync(join(tmpdir(), 'gatehouse-revocations-'));
process.on('exit', () => {
  killAll();
  rmSync(dir, { recursive: true, force: true });
});

console.log('| revocations | seeded in | first check p50 | p99 | check of a seen token |');
console.log('| ---: | ---: | ---: | ---: | ---: |');
const costs = [];
for (const size of sizes) costs.push(await measure(size));
if (Math.max(...costs) > 1.5 * Math.min(...costs)) process.exitCode = 1;
await stopAll();

/** @param {number} size */
async function measure(size) {
  const redis = await startRedis({ dir, core: 0, redisServer: 'redis-server', name: String(size) });
  const seededAt = performance.now();
  await seed(redis.url, size);
  const seededMs = performance.now() - seededAt;
  const store = openStore(loadConfig({ REDIS_URL: redis.url, DATA_DIR: dir }), quiet);
  await store.ready();
  while (store.changes.trustMs === 0) await new Promise((done) => setTimeout(done, 5));
  const revocations = new TokenRevocations(store, quiet, 3_600_000);

  const ids = Array.from({ length: SEEN }, (_unused, i) => (i % 10 === 0 ? `seeded-${i + 1}` : `good-${i}`));
  const firstUs = [];
  for (const id of ids) {
    const askedAt = performance.now();
    await revocations.check(id);
    firstUs.push((performance.now() - askedAt) * 1_000);
  }
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push(checkSeen(revocations, ids));
    // The feed proves that it is alive between the rounds, as between requests.
    await new Promise((done) => setTimeout(done, 50));
  }
  const ns = Math.min(...rounds);
  firstUs.sort((one, other) => one - other);
  const [p50, p99] = [0.5, 0.99].map((share) => firstUs[Math.ceil(SEEN * share) - 1]?.toFixed(0));
  console.log(
    `| ${size} | ${(seededMs / 1_000).toFixed(1)} s | ${p50} µs | ${p99} µs | ${ns.toFixed(0)} ns |`,
  );
  await store.close();
  await redis.stop();
  return ns;
}

/**
 * @param {{ check(jti: string): boolean | Promise<boolean> }} revocations
 * @param {string[]} ids
 */
function checkSeen(revocations, ids) {
  let revoked = 0;
  const startedAt = performance.now();
  for (let i = 0; i < CHECKS; i++) {
    const verdict = revocations.check(/** @type {string} */ (ids[i % SEEN]));
    if (typeof verdict !== 'boolean') throw new Error('the store was asked');
    if (verdict) revoked++;
  }
  const ns = ((performance.now() - startedAt) * 1e6) / CHECKS;
  if (revoked !== CHECKS / 10) throw new Error(`${revoked} of ${CHECKS} were revoked`);
  return ns;
}

/**
 * @param {string} url
 * @param {number} size
 */
async function seed(url, size) {
  const client = new Redis(url);
  for (let from = 1; from <= size; from += PER_SCRIPT) {
    await client.eval(SEED, 0, from, Math.min(size, from + PER_SCRIPT - 1));
  }
  client.disconnect();
}
