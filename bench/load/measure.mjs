import { cpuMicros, rssBytes } from '../process-usage.mjs';
import { fault, runWrk } from './wrk.mjs';

/**
 * One measurement of one server.
 * @typedef {object} Sample
 * @property {number} requestsPerSecond
 * @property {number} p50Us
 * @property {number} p99Us
 * @property {number} cpuUsPerRequest   user and kernel time of the server and its children
 * @property {number} rssBytes          resident memory right after the load
 * @property {number} bytesPerSecond    received by the load generator
 * @property {number} cpuShare          of its core, 0 to 1: well below 1 means that something else was the limit
 */

/**
 * @typedef {object} Target
 * @property {string} title
 * @property {number} pid
 * @property {string} origin
 * @property {import('./request.mjs').LoadRequest} request
 * @property {number} [numbers]
 */

/**
 * Loads a server and charges the CPU time that it used meanwhile to the requests that it answered.
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {Target} target
 * @param {{ seconds?: number, connections?: number }} [load]
 * @returns {Promise<Sample>}
 */
export async function measure(
  stage,
  target,
  { seconds = stage.options.seconds, connections = stage.options.connections } = {},
) {
  const cpuBefore = cpuMicros(target.pid);
  const result = await load(stage, target, { seconds, connections });
  const cpuUs = cpuMicros(target.pid) - cpuBefore;
  return {
    requestsPerSecond: (result.requests * 1_000_000) / result.durationUs,
    p50Us: result.p50Us,
    p99Us: result.p99Us,
    cpuUsPerRequest: cpuUs / result.requests,
    rssBytes: rssBytes(target.pid),
    bytesPerSecond: (result.bytes * 1_000_000) / result.durationUs,
    cpuShare: cpuUs / result.durationUs,
  };
}

/**
 * Load whose cost nobody looks at: caches fill, connections open, the compiler warms up. Errors count all the same.
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {Target} target
 * @param {{ connections?: number, passRequests?: number }} [how]  `passRequests`: first count through the numbers for so many requests
 */
export async function warmUp(stage, target, { connections = stage.options.connections, passRequests } = {}) {
  // The pass ends by itself; the time is only its upper bound.
  if (passRequests !== undefined) await load(stage, target, { seconds: 300, connections, passRequests });
  await load(stage, target, { seconds: stage.options.warmup, connections });
}

/**
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {Target} target
 * @param {{ seconds: number, connections: number, passRequests?: number }} how
 */
async function load(stage, { title, origin, request, numbers }, how) {
  const result = await runWrk({
    tools: stage.tools,
    core: stage.options.loadCore,
    origin,
    request,
    numbers,
    ...how,
  });
  const why = fault(result);
  if (why !== undefined) stage.invalid(`${title}: ${why}`);
  return result;
}
