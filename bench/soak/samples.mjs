import { cpuMicros, rssBytes } from '../process-usage.mjs';
import { administer } from './world.mjs';

/**
 * What was seen of the gateway at one moment.
 * @typedef {object} Sample
 * @property {number} minutes       since the beginning
 * @property {number} rssBytes
 * @property {number} heapBytes     in use, garbage included
 * @property {number} externalBytes buffers and the like
 * @property {number} loopP99Ms     delay of the event loop since the sample before, at the 99th percentile
 * @property {number} descriptors
 * @property {number} cpuShare      of one core since the sample before
 * @property {number} errors        of the gateway itself, since its start
 */

/** The event loop is looked at every 10 ms, and that time is part of what is measured. */
const LOOK_MS = 10;

/**
 * Takes one sample after the other; asking resets the event loop's histogram.
 * @param {import('./world.mjs').World} world
 */
export function sampler(world) {
  const startedAt = performance.now();
  let [lastAt, lastCpu] = [startedAt, cpuMicros(world.pid)];
  return async () => {
    const { outcome, text } = await administer(world, 'GET', '/metrics');
    if (outcome !== '200') throw new Error(`GET /metrics was answered ${outcome}`);
    const metric = (/** @type {string} */ name) =>
      [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].reduce(
        (sum, [, value]) => sum + Number(value),
        0,
      );
    const [now, cpu] = [performance.now(), cpuMicros(world.pid)];
    const cpuShare = (cpu - lastCpu) / 1000 / (now - lastAt);
    [lastAt, lastCpu] = [now, cpu];
    return {
      minutes: (now - startedAt) / 60_000,
      rssBytes: rssBytes(world.pid),
      heapBytes: metric('nodejs_heap_size_used_bytes'),
      externalBytes: metric('nodejs_external_memory_bytes'),
      loopP99Ms: Math.max(0, metric('nodejs_eventloop_lag_p99_seconds') * 1000 - LOOK_MS),
      descriptors: metric('process_open_fds'),
      cpuShare,
      errors: metric('gateway_internal_errors_total'),
    };
  };
}

/**
 * Least squares through the second half of the samples: what is filled and compiled at first is no leak.
 * @param {readonly Sample[]} samples
 * @returns {{ bytesPerMinute: number, meanBytes: number }}
 */
export function rssSlope(samples) {
  const half = samples.slice(Math.floor(samples.length / 2));
  const mean = (/** @type {(sample: Sample) => number} */ of) =>
    half.reduce((sum, sample) => sum + of(sample), 0) / half.length;
  const [meanMinutes, meanBytes] = [mean((sample) => sample.minutes), mean((sample) => sample.rssBytes)];
  let [above, below] = [0, 0];
  for (const { minutes, rssBytes } of half) {
    above += (minutes - meanMinutes) * (rssBytes - meanBytes);
    below += (minutes - meanMinutes) ** 2;
  }
  return { bytesPerMinute: below === 0 ? 0 : above / below, meanBytes };
}
