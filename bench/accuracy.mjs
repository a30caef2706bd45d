import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readValues } from './values.mjs';
import { killAll, stopAll } from './children.mjs';
import { GATEHOUSE_MAIN } from './prerequisites.mjs';
import { startRedis } from './stage/redis.mjs';

const HELP = `Usage: node bench/accuracy.mjs [--processes 1,2,4,8] [--seconds 6] [--quick]

Lets several processes, whose clocks are up to two seconds wrong, take from one bucket in Redis as fast as they can, with bursts
at the edges of their windows, and compares what they were given with capacity + refill. Ends with 1 if it was ever more, or
less than 99 % of it.
`;
const values = readValues(HELP, {
  processes: { type: 'string', default: '1,2,4,8' },
  seconds: { type: 'string', default: '6' },
  quick: { type: 'boolean', default: false },
});
const counts = values.quick ? [1, 2] : values.processes.split(',').map(Number);
const seconds = values.quick ? 2 : Number(values.seconds);
const WORKER = fileURLToPath(new URL('./load/limiter-worker.mjs', import.meta.url));
/** Two limits: one with a token every two milliseconds, one with a token every twenty. */
const LIMITS = [
  { capacity: 500, windowMs: 1_000 },
  { capacity: 50, windowMs: 1_000 },
];

const dir = mkdtempSync(join(tmpdir(), 'gatehouse-accuracy-'));
process.on('exit', () => {
  killAll();
  rmSync(dir, { recursive: true, force: true });
});

const rows = [];
for (const mode of ['exact', 'leased']) {
  // In two seconds a single token of the small one is more than the 1 % that may be missing.
  for (const limit of values.quick ? LIMITS.slice(0, 1) : LIMITS)
    for (const processes of counts) rows.push(await attack(mode, limit, processes));
}
console.log('| mode | limit | processes | asked | admitted | capacity + refill | share | |');
console.log('| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |');
for (const row of rows) {
  const { mode, limit, processes, asked, admitted, bound } = row;
  const share = admitted / bound;
  const verdict = admitted > bound ? '**too many**' : share < 0.99 ? '**too few**' : 'kept';
  console.log(
    `| ${mode} | ${limit.capacity} per ${limit.windowMs} ms | ${processes} | ${asked} | ${admitted} | ${bound} | ${(share * 100).toFixed(2)} % | ${verdict} |`,
  );
  if (verdict !== 'kept') process.exitCode = 1;
}
await stopAll();

/**
 * @param {string} mode
 * @param {{ capacity: number, windowMs: number }} limit
 * @param {number} processes
 */
async function attack(mode, limit, processes) {
  const redis = await startRedis({
    dir,
    core: 0,
    redisServer: 'redis-server',
    name: `${mode}-${limit.capacity}-${processes}`,
  });
  const workers = [];
  for (let i = 0; i < processes; i++) {
    // −2 s, +2 s and what lies between.
    const skewMs = processes === 1 ? 2_000 : Math.round(-2_000 + (4_000 * i) / (processes - 1));
    const bucket = { key: 'rl:accuracy:1', ...limit };
    const job = JSON.stringify({ redisUrl: redis.url, mode, bucket, skewMs, lib: GATEHOUSE_MAIN });
    const worker = fork(WORKER, [job], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await once(worker, 'message');
    workers.push(worker);
  }
  const answers = workers.map((worker) => once(worker, 'message'));
  for (const worker of workers) worker.send({ seconds });
  const given = (await Promise.all(answers)).map(([answer]) => answer);
  await redis.stop();
  const asked = given.reduce((sum, one) => sum + one.asked, 0);
  const admitted = given.reduce((sum, one) => sum + one.admitted, 0);
  // From the first question to the last answer, one millisecond more at each end for the clock's steps.
  const startedAt = Math.min(...given.map((one) => one.firstAskedAt)) - 1;
  const endedAt = Math.max(...given.map((one) => one.lastAnsweredAt)) + 1;
  const bound = limit.capacity + Math.floor(((endedAt - startedAt) * limit.capacity) / limit.windowMs);
  console.error(
    `${mode}, ${limit.capacity} per ${limit.windowMs} ms, ${processes} processes: ${admitted} of ${bound}`,
  );
  return { mode, limit, processes, asked, admitted, bound };
}
