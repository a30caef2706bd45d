import { once } from 'node:events';
import { connect } from 'node:net';

import { percentile } from '../report/statistics.mjs';

/**
 * Sends requests of several tenants at moments that were fixed beforehand, whether or not the earlier ones have been answered, and
 * times each from the moment it was due (see open-loop-worker.mjs, which also says why it looks at the clock all the time).
 *
 * Argument: JSON of `{ host, port, seconds, tenants: [{ name, head, rate, connections }] }`. Prints JSON: by tenant how many
 * requests were answered with which status, and how long those took that were answered with 200.
 */
const { host, port, seconds, tenants } = JSON.parse(process.argv[2] ?? '{}');

/** Requests of the first second are not counted: nobody knows of anybody yet. */
const SKIPPED_MS = 1_000;
const NAP_MS = 0.01;
const bell = new Int32Array(new SharedArrayBuffer(4));

/**
 * @typedef {object} Tenant
 * @property {string} name
 * @property {Buffer} request
 * @property {number} rate
 * @property {number} nextMs            when its next request is due
 * @property {Line[]} idle
 * @property {number[]} waiting         due times of requests that found every connection busy
 * @property {Record<string, number>} statuses
 * @property {number[]} latencies
 * @property {number[]} lateness        how late the generator itself was
 * @typedef {{ socket: import('node:net').Socket, dueMs: number, seen: string }} Line
 */

/** @type {Tenant[]} */
const senders = [];
for (const { name, head, rate, connections } of tenants) {
  const request = Buffer.from(head);
  /** @type {Tenant} */
  const tenant = {
    name,
    request,
    rate,
    nextMs: 0,
    idle: [],
    waiting: [],
    statuses: {},
    latencies: [],
    lateness: [],
  };
  for (let i = 0; i < connections; i++) tenant.idle.push(await openLine(tenant));
  senders.push(tenant);
}
let open = 0;
const startMs = performance.now();
const endMs = startMs + SKIPPED_MS + seconds * 1_000;
for (const tenant of senders) tenant.nextMs = startMs;
tick();

function tick() {
  const now = performance.now();
  let nextMs = Infinity;
  for (const tenant of senders) {
    while (tenant.nextMs <= now && tenant.nextMs < endMs) {
      const line = tenant.idle.pop();
      if (line === undefined) tenant.waiting.push(tenant.nextMs);
      else {
        if (tenant.nextMs >= startMs + SKIPPED_MS) tenant.lateness.push(now - tenant.nextMs);
        send(tenant, line, tenant.nextMs);
      }
      // Neither a metronome nor bursts, in which a tenant would be above its share for a while.
      tenant.nextMs += ((0.5 + Math.random()) * 1_000) / tenant.rate;
    }
    nextMs = Math.min(nextMs, tenant.nextMs);
  }
  if (nextMs >= endMs && (open === 0 || now >= endMs + 5_000)) return finish();
  Atomics.wait(bell, 0, 0, Math.min(NAP_MS, Math.max(0, nextMs - now)));
  setImmediate(tick);
}

function finish() {
  const results = senders.map(({ name, statuses, latencies, lateness, waiting }) => {
    const sorted = Float64Array.from(latencies).sort();
    const late = Float64Array.from(lateness).sort();
    return {
      name,
      statuses,
      unanswered: waiting.length,
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      maxMs: percentile(sorted, 1),
      sentLateP99Ms: percentile(late, 0.99),
    };
  });
  process.stdout.write(JSON.stringify(results), () => process.exit(0));
}

/**
 * @param {Tenant} tenant
 * @param {Line} line
 * @param {number} dueMs
 */
function send(tenant, line, dueMs) {
  open++;
  line.dueMs = dueMs;
  line.socket.write(tenant.request);
}

/**
 * @param {Tenant} tenant
 * @returns {Promise<Line>}
 */
async function openLine(tenant) {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  /** @type {Line} */
  const line = { socket, dueMs: 0, seen: '' };
  socket.on('data', (chunk) => receive(tenant, line, chunk.toString('latin1')));
  socket.on('error', () => count(tenant, 'broken'));
  socket.on('close', () => count(tenant, 'broken'));
  return line;
}

/**
 * @param {Tenant} tenant
 * @param {Line} line
 * @param {string} text
 */
function receive(tenant, line, text) {
  line.seen += text;
  const headEnd = line.seen.indexOf('\r\n\r\n');
  if (headEnd === -1) return;
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(line.seen)?.[1] ?? 0);
  if (line.seen.length < headEnd + 4 + length) return;
  const status = line.seen.slice(9, 12);
  line.seen = '';
  open--;
  if (line.dueMs >= startMs + SKIPPED_MS) {
    count(tenant, status);
    if (status === '200') tenant.latencies.push(performance.now() - line.dueMs);
  }
  const dueMs = tenant.waiting.shift();
  if (dueMs === undefined) tenant.idle.push(line);
  else send(tenant, line, dueMs);
}

/**
 * @param {Tenant} tenant
 * @param {string} status
 */
function count({ statuses }, status) {
  statuses[status] = (statuses[status] ?? 0) + 1;
}
