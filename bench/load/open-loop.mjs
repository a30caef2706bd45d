import { fileURLToPath } from 'node:url';

import { runToEnd } from '../children.mjs';
import { requestHead } from './request.mjs';

const WORKER = fileURLToPath(new URL('./open-loop-worker.mjs', import.meta.url));

/**
 * @typedef {object} OpenLoopResult
 * @property {number} requests
 * @property {number} errors
 * @property {number} p50Us
 * @property {number} p99Us
 * @property {number[]} secondsP99Us  of the requests that were due in each second
 * @property {number} maxUs
 * @property {number} sentLateP99Us  how late the generator itself was: its share of the noise
 */

/**
 * Sends `rate` requests per second at random moments, whatever the server does, and times them from the moment they were due.
 * @param {{ origin: string, request: import('./request.mjs').LoadRequest, rate: number, seconds: number, connections: number, core: number }} load
 * @returns {Promise<OpenLoopResult>}
 */
export async function runOpenLoop({ origin, request, rate, seconds, connections, core }) {
  const { host, hostname, port } = new URL(origin);
  const work = {
    host: hostname,
    port: Number(port),
    head: requestHead(request, host),
    rate,
    seconds,
    connections,
  };
  const output = await runToEnd('taskset', [
    '-c',
    String(core),
    process.execPath,
    WORKER,
    JSON.stringify(work),
  ]);
  return JSON.parse(output);
}
