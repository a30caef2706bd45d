import { fileURLToPath } from 'node:url';

import { runToEnd } from '../children.mjs';

const WORKER = fileURLToPath(new URL('./stall-worker.mjs', import.meta.url));

/**
 * How long the machine itself keeps a request waiting, on both cores at once and with nothing else to do on them: no proxy can
 * be better than that.
 * @param {{ core: number, loadCore: number, seconds: number }} options
 * @returns {Promise<{ coreP99Us: number, loadCoreP99Us: number, maxUs: number }>}
 */
export async function measureStalls({ core, loadCore, seconds }) {
  const [own, load] = await Promise.all([core, loadCore].map((number) => watch(number, seconds)));
  if (!own || !load) throw new Error('there is no core to watch');
  return { coreP99Us: own.p99Us, loadCoreP99Us: load.p99Us, maxUs: Math.max(own.maxUs, load.maxUs) };
}

/**
 * @param {number} core
 * @param {number} seconds
 * @returns {Promise<{ p99Us: number, maxUs: number }>}
 */
async function watch(core, seconds) {
  return JSON.parse(
    await runToEnd('taskset', ['-c', String(core), process.execPath, WORKER, String(seconds)]),
  );
}
