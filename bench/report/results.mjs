import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';

import { BENCH, commit, peerVersion, productVersion } from '../prerequisites.mjs';

/**
 * Everything one run found out.
 * @typedef {object} Results
 * @property {string} date
 * @property {string} commit
 * @property {string} command
 * @property {string} machine
 * @property {number} busyCores  load average of the last minute when the run began: 0 on a machine at rest
 * @property {Record<string, string>} versions
 * @property {import('../options.mjs').Options} options
 * @property {import('../suites/peers.mjs').PeerResult[]} [peers]
 * @property {import('../suites/latency.mjs').LatencyResult[]} [latency]
 * @property {Awaited<ReturnType<typeof import('../suites/latency.mjs').measureMachine>>} [stalls]
 * @property {Awaited<ReturnType<typeof import('../suites/scale.mjs').measureScale>>} [scale]
 * @property {import('../suites/bodies.mjs').BodyResult[]} [bodies]
 * @property {string[]} problems  why figures of this run cannot be trusted; empty if they can
 * @property {import('./targets.mjs').Verdict[]} verdicts
 */

/** Packages that make up the two stacks with the same policies. */
const PACKAGES = [
  'fastify',
  '@fastify/http-proxy',
  '@fastify/rate-limit',
  'express',
  'http-proxy-middleware',
  'express-rate-limit',
  'rate-limit-redis',
  'pino-http',
];

/**
 * @param {import('../options.mjs').Options} options
 * @param {import('../prerequisites.mjs').Tools} tools
 * @param {string[]} argv
 * @returns {Results}
 */
export function newResults(options, tools, argv) {
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    command: ['node bench/run.mjs', ...argv].join(' '),
    machine: machine(),
    busyCores: loadavg()[0] ?? 0,
    versions: {
      gatehouse: productVersion(),
      node: process.versions.node,
      ...Object.fromEntries(Object.entries(tools).map(([name, { version }]) => [name, version])),
      ...Object.fromEntries(PACKAGES.map((name) => [name, peerVersion(name)])),
    },
    options,
    problems: [],
    verdicts: [],
  };
}

/** The machine in a few words, for whoever reads figures of it. */
export function machine() {
  const processors = cpus();
  const model = processors[0]?.model ?? 'unknown CPU';
  return `${processors.length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`;
}

/**
 * Writes `bench/out/results.json`, and `bench/RESULTS.md` if asked for.
 * @param {Results} results
 * @param {string} markdown
 */
export function saveResults(results, markdown) {
  mkdirSync(join(BENCH, 'out'), { recursive: true });
  writeFileSync(join(BENCH, 'out/results.json'), `${JSON.stringify(results, null, 2)}\n`);
  if (results.options.write) writeFileSync(join(BENCH, 'RESULTS.md'), markdown);
}
