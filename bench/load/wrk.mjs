import { fileURLToPath } from 'node:url';

import { runToEnd } from '../children.mjs';
import { FIRST_NUMBER } from '../stage/tenants.mjs';
import { NUMBER, requestHead } from './request.mjs';

const SCRIPTS = fileURLToPath(new URL('.', import.meta.url));

/**
 * @typedef {object} LoadResult
 * @property {number} requests    answered ones
 * @property {number} durationUs
 * @property {number} bytes       received, heads included
 * @property {number} p50Us
 * @property {number} p99Us
 * @property {number} maxUs
 * @property {{ connect: number, read: number, write: number, status: number, timeout: number }} errors
 */

/**
 * @typedef {object} Load
 * @property {import('../prerequisites.mjs').Tools} tools
 * @property {string} origin
 * @property {import('./request.mjs').LoadRequest} request
 * @property {number} core
 * @property {number} connections
 * @property {number} seconds
 * @property {number} [numbers]   how many numbers `{n}` stands for
 * @property {number} [passRequests]  instead of choosing numbers at random, count them up for so many requests, then stop
 */

/**
 * Loads a server with as many requests as it takes: each connection sends the next as soon as it has the answer.
 * A counting pass reports requests and errors only.
 * @param {Load} load
 * @returns {Promise<LoadResult>}
 */
export async function runWrk({ tools, origin, request, core, connections, seconds, numbers, passRequests }) {
  const common = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '30s', '--latency'];
  const script =
    numbers === undefined ? fixed(request) : numbered(request, new URL(origin).host, numbers, passRequests);
  const url = origin + (numbers === undefined ? request.path : '/');
  const wrk = /** @type {{ path: string }} */ (tools.wrk).path;
  const output = await runToEnd('taskset', [
    '-c',
    String(core),
    wrk,
    ...common,
    '-s',
    SCRIPTS + script.file,
    url,
    '--',
    ...script.args,
  ]);
  const line = /^RESULT (.*)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk gave no result:\n${output}`);
  return JSON.parse(line);
}

/**
 * Why a measurement must not be believed, or undefined. One refused request is one too many: refusing is cheaper than forwarding.
 * @param {LoadResult} result
 */
export function fault({ requests, errors }) {
  if (requests === 0) return 'no request was answered';
  const seen = Object.entries(errors).filter(([, count]) => count > 0);
  if (seen.length === 0) return undefined;
  return `${seen.map(([kind, count]) => `${count} ${kind} errors`).join(', ')} in ${requests} requests`;
}

/** @param {import('./request.mjs').LoadRequest} request */
function fixed({ method = 'GET', headers, bodyBytes = 0 }) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return { file: 'fixed.lua', args: [method, String(bodyBytes), ...lines] };
}

/**
 * @param {import('./request.mjs').LoadRequest} request
 * @param {string} host
 * @param {number} numbers
 * @param {number} [passRequests]
 */
function numbered(request, host, numbers, passRequests = 0) {
  const [before = '', after = ''] = requestHead(request, host).split(NUMBER);
  return {
    file: 'numbered.lua',
    args: [String(FIRST_NUMBER), String(numbers), String(passRequests), before, after],
  };
}
