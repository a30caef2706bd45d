/**
 * What Gatehouse promises about its speed, judged on the figures of one run.
 * @typedef {object} Verdict
 * @property {string} promise
 * @property {string} found
 * @property {boolean | null} met  null if this run did not measure it
 */

/**
 * @param {import('./results.mjs').Results} results
 * @returns {Verdict[]}
 */
export function judge({ peers, latency, scale }) {
  const peer = (/** @type {string} */ id) => peers?.find((result) => result.id === id);
  const full = peer('gatehouse-full');
  const times = (/** @type {string} */ id) => divide(full?.requestsPerSecond, peer(id)?.requestsPerSecond);
  const size = (/** @type {string} */ what, /** @type {number} */ count) =>
    scale?.sizes.find((result) => result.what === what && result.count === count)?.ratioToSmallest;
  const memory = scale?.memory.tenants === 10_000 ? scale.memory.rssBytes / 1e6 : undefined;
  const added = latency?.find(({ id }) => id === 'gatehouse-full')?.steadyP99Us;

  return [
    atMost('full path: CPU per request ≤ 1.25 × bare Caddy', full?.ratioToCaddy ?? undefined, 1.25, ' ×'),
    atLeast('full path: throughput ≥ 3 × Express stack', times('express'), 3, ' ×'),
    atLeast('full path: throughput ≥ 1.5 × Fastify stack', times('fastify'), 1.5, ' ×'),
    atMost('100,000 tenants cost within 10 % of 10', size('tenants', 100_000), 1.1, ' ×'),
    atMost('100,000 keys cost within 10 % of 10', size('keys', 100_000), 1.1, ' ×'),
    atMost('100,000 routes cost within 10 % of 10', size('routes', 100_000), 1.1, ' ×'),
    atMost('RSS with 10,000 active tenants ≤ 160 MB', memory, 160, ' MB'),
    atMost('full path: p99 added at half load ≤ 2 ms (median second)', divide(added, 1_000), 2, ' ms'),
  ];
}

/**
 * @param {string} promise
 * @param {number | undefined} value
 * @param {number} limit
 * @param {string} unit
 * @returns {Verdict}
 */
function atMost(promise, value, limit, unit) {
  return verdict(promise, value, unit, (found) => found <= limit);
}

/**
 * @param {string} promise
 * @param {number | undefined} value
 * @param {number} limit
 * @param {string} unit
 * @returns {Verdict}
 */
function atLeast(promise, value, limit, unit) {
  return verdict(promise, value, unit, (found) => found >= limit);
}

/**
 * @param {string} promise
 * @param {number | undefined} value
 * @param {string} unit
 * @param {(value: number) => boolean} holds
 * @returns {Verdict}
 */
function verdict(promise, value, unit, holds) {
  if (value === undefined) return { promise, found: 'not measured', met: null };
  return { promise, found: value.toFixed(2) + unit, met: holds(value) };
}

/**
 * @param {number | undefined} a
 * @param {number | undefined} b
 */
function divide(a, b) {
  return a === undefined || b === undefined ? undefined : a / b;
}
