import { randomBytes } from 'node:crypto';

import { ask } from './ask.mjs';
import { SCENARIOS } from './scenarios.mjs';

/** More than the gateway remembers of either, or tells apart in its metrics. */
const UNKNOWN_KEYS = 12_000;
const PASSING_TENANTS = 220;
const AT_A_TIME = 16;

/**
 * Fills what is bounded and would fill for hours by itself: the names that are known to be unknown, and the tenants with
 * series of their own. What grows after that has no bound, or is no cache.
 * @param {import('./world.mjs').World} world
 */
export async function fill(world) {
  const passing = SCENARIOS.find(({ name }) => name === 'tenant made, used, deleted');
  if (!passing) throw new Error('nobody makes tenants any more');
  await times(PASSING_TENANTS, async () => {
    const outcome = await passing.run(world);
    if (!passing.expects.includes(outcome)) throw new Error(`a passing tenant was answered ${outcome}`);
  });
  await times(UNKNOWN_KEYS, async () => {
    const headers = { 'X-API-Key': randomBytes(16).toString('hex') };
    const { outcome } = await ask(`${world.origin}/api/v1/small`, { headers });
    if (outcome !== '401') throw new Error(`an unknown key was answered ${outcome}`);
  });
}

/**
 * @param {number} count
 * @param {() => Promise<void>} act
 */
async function times(count, act) {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await act();
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}
