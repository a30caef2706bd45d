import { measure, warmUp } from '../load/measure.mjs';
import { NUMBER, probe } from '../load/request.mjs';
import { PATH } from '../peers/index.mjs';
import { credentials, startSeeded } from '../peers/gatehouse.mjs';
import { median } from '../report/statistics.mjs';
import { FIRST_NUMBER } from '../stage/tenants.mjs';

/**
 * @typedef {object} ScaleResult
 * @property {'tenants' | 'keys' | 'routes'} what
 * @property {number} count
 * @property {number} requestsPerSecond
 * @property {number} cpuUsPerRequest
 * @property {number} ratioToSmallest  median over the rounds of the ratio within a round
 * @property {number} rssBytes
 * @property {import('../load/measure.mjs').Sample[]} rounds
 */

/** Tenants that are all active when memory is looked at. */
const MEMORY_TENANTS = 10_000;

/**
 * Does a request cost more when there are more tenants, keys or routes? Requests are spread evenly at random over all of them.
 * @param {import('../stage/index.mjs').Stage} stage
 * @returns {Promise<{ sizes: ScaleResult[], memory: { tenants: number, rssBytes: number } }>}
 */
export async function measureScale(stage) {
  /** @type {ScaleResult[]} */
  const sizes = [];
  for (const what of /** @type {const} */ (['tenants', 'keys', 'routes'])) {
    try {
      sizes.push(...(await compareSizes(stage, what)));
    } catch (error) {
      stage.invalid(`scale of ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { sizes, memory: await measureMemory(stage) };
}

/**
 * One gateway per size, all warm at the same time, measured in turns.
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {'tenants' | 'keys' | 'routes'} what
 */
async function compareSizes(stage, what) {
  const { sizes, rounds } = stage.options;
  const targets = [];
  try {
    for (const count of sizes) targets.push(await startWarm(stage, what, count, Math.max(...sizes)));
    /** @type {import('../load/measure.mjs').Sample[][]} */
    const samples = [];
    for (let round = 0; round < rounds; round++) {
      /** @type {import('../load/measure.mjs').Sample[]} */
      const row = [];
      for (const target of targets) row.push(await measure(stage, target));
      console.error(
        `round ${round + 1}: ${sizes.map((count, index) => `${count} ${what} ${row[index]?.cpuUsPerRequest.toFixed(1)} µs`).join(', ')}`,
      );
      samples.push(row);
    }
    return sizes.map((count, index) => summarise(what, count, samples, index));
  } finally {
    await Promise.all(targets.map((target) => target.stop()));
  }
}

/**
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {'tenants' | 'keys' | 'routes'} what
 * @param {number} count
 * @param {number} passRequests  the same for every size, so that none has the warmer compiler; at least one for each number
 */
async function startWarm(stage, what, count, passRequests) {
  const title = `${count} ${what}`;
  console.error(`starting Gatehouse with ${title}`);
  const running = await startSeeded(stage, { name: `scale-${count}-${what}`, what, count });
  const request =
    what === 'routes'
      ? { path: `/api/v1/r${NUMBER}/items`, headers: credentials(stage, FIRST_NUMBER) }
      : { path: PATH, headers: credentials(stage, NUMBER) };
  const target = { ...running, title, request, numbers: count };
  try {
    await probe(running.origin, request, stage.upstream.smallBody);
    await warmUp(stage, target, { passRequests });
  } catch (error) {
    await running.stop();
    throw error;
  }
  return target;
}

/**
 * @param {ScaleResult['what']} what
 * @param {number} count
 * @param {import('../load/measure.mjs').Sample[][]} samples  by round, then by size
 * @param {number} index  of the size
 * @returns {ScaleResult}
 */
function summarise(what, count, samples, index) {
  const rounds = samples.map((row) => /** @type {import('../load/measure.mjs').Sample} */ (row[index]));
  return {
    what,
    count,
    requestsPerSecond: median(rounds.map((sample) => sample.requestsPerSecond)),
    cpuUsPerRequest: median(rounds.map((sample) => sample.cpuUsPerRequest)),
    ratioToSmallest: median(
      rounds.map((sample, round) => sample.cpuUsPerRequest / (samples[round]?.[0]?.cpuUsPerRequest ?? NaN)),
    ),
    rssBytes: median(rounds.map((sample) => sample.rssBytes)),
    rounds,
  };
}

/** @param {import('../stage/index.mjs').Stage} stage */
async function measureMemory(stage) {
  const target = await startWarm(stage, 'tenants', MEMORY_TENANTS, MEMORY_TENANTS);
  try {
    const samples = [];
    for (let round = 0; round < stage.options.rounds; round++) samples.push(await measure(stage, target));
    // The largest, not the median: a limit on memory is a limit on its worst moment.
    return { tenants: MEMORY_TENANTS, rssBytes: Math.max(...samples.map((sample) => sample.rssBytes)) };
  } finally {
    await target.stop();
  }
}
