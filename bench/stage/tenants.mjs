import { createHash } from 'node:crypto';

import { Redis } from 'ioredis';

/** Numbers in keys and paths start here, so that all have seven digits and every request has the same length. */
export const FIRST_NUMBER = 1_000_001;

/** Redis takes this many writes per round trip: enough to be quick, little enough to stay small. */
const BATCH = 5_000;

/**
 * Writes tenants as the documentation says `redis-cli` may: `tenant:<id>` and `tenant:byApiKey:<sha256>`.
 *
 * - `tenants`: `count` tenants with one key and one route each
 * - `keys`: one tenant with `count` keys
 * - `routes`: one tenant with one key and `count` routes, `/v1/r1000001` and so on
 *
 * @param {string} redisUrl
 * @param {'tenants' | 'keys' | 'routes'} what
 * @param {number} count
 * @param {{ upstream: string, idp: object }} common
 */
export async function seed(redisUrl, what, count, { upstream, idp }) {
  const redis = new Redis(redisUrl);
  const tenant = (/** @type {string} */ id, /** @type {object[]} */ allowedRoutes) =>
    JSON.stringify({
      id,
      name: `Tenant ${id}`,
      upstreamBaseUrl: upstream,
      allowedRoutes,
      // A limit that is decided on every request and never reached.
      rateLimit: { windowSeconds: 60, maxRequests: 100_000_000 },
      idp,
    });
  const route = (/** @type {string} */ path) => ({ path, auth: { jwt: true } });
  const numbers = Array.from({ length: count }, (_, index) => FIRST_NUMBER + index);

  try {
    if (what === 'tenants') {
      await write(redis, numbers, (n) => [
        [`tenant:t${n}`, tenant(`t${n}`, [route('/v1')])],
        [`tenant:byApiKey:${hash(apiKey(n))}`, `t${n}`],
      ]);
      return;
    }
    const routes = what === 'routes' ? numbers.map((n) => route(`/v1/r${n}`)) : [route('/v1')];
    await redis.set('tenant:t1', tenant('t1', routes));
    await write(redis, what === 'keys' ? numbers : [FIRST_NUMBER], (n) => [
      [`tenant:byApiKey:${hash(apiKey(n))}`, 't1'],
    ]);
  } finally {
    redis.disconnect();
  }
}

/**
 * The n-th key; the load generator builds the same text from the number.
 * @param {number | string} n
 */
export function apiKey(n) {
  return `bench-key-${n}`;
}

/** @param {string} text */
function hash(text) {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * @param {Redis} redis
 * @param {number[]} numbers
 * @param {(n: number) => [string, string][]} entries
 */
async function write(redis, numbers, entries) {
  for (let from = 0; from < numbers.length; from += BATCH) {
    const pipeline = redis.pipeline();
    for (const n of numbers.slice(from, from + BATCH))
      for (const [key, value] of entries(n)) pipeline.set(key, value);
    const failed = (await pipeline.exec())?.find(([error]) => error !== null);
    if (failed?.[0]) throw failed[0];
  }
}
