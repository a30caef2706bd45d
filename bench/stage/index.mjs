import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startIssuer } from './issuer.mjs';
import { startRedis } from './redis.mjs';
import { startUpstream } from './upstream.mjs';

/**
 * Everything a measurement needs beside the measured server. It lives on the load core.
 * @typedef {object} Stage
 * @property {string} dir                      temporary folder of this run
 * @property {import('../options.mjs').Options} options
 * @property {import('../prerequisites.mjs').Tools} tools
 * @property {{ port: number, origin: string, smallBody: string }} upstream
 * @property {Awaited<ReturnType<typeof startIssuer>>} issuer
 * @property {(name: string) => Promise<{ url: string, stop: () => Promise<void> }>} redis  starts an empty Redis
 * @property {(message: string) => void} invalid  records why a figure of this run cannot be trusted
 * @property {string[]} problems
 */

/** @type {Set<string>} */
const folders = new Set();

/**
 * @param {import('../options.mjs').Options} options
 * @param {import('../prerequisites.mjs').Tools} tools
 * @returns {Promise<Stage>}
 */
export async function openStage(options, tools) {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  folders.add(dir);
  const core = options.loadCore;
  /** @type {string[]} */
  const problems = [];
  const redisServer = tools['redis-server']?.path;

  return {
    dir,
    options,
    tools,
    upstream: await startUpstream({ dir, core, nginx: /** @type {{ path: string }} */ (tools.nginx).path }),
    issuer: await startIssuer(),
    redis: (name) => {
      if (redisServer === undefined) throw new Error('redis-server is missing');
      return startRedis({ dir, core, redisServer, name });
    },
    problems,
    invalid: (message) => {
      problems.push(message);
      console.error(`\n!!! INVALID RUN: ${message}\n`);
    },
  };
}

/** Removes the temporary folders; synchronous, because it also runs while the process exits. */
export function removeFolders() {
  for (const dir of folders) rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  folders.clear();
}
