import { once } from 'node:events';
import { connect } from 'node:net';

import { percentile } from '../report/statistics.mjs';

/**
 * Sends requests at moments that were fixed beforehand, whether or not the earlier ones have been answered, and times each from the
 * moment it was due: a server that stalls pays for every request it kept waiting. Its own process, because it looks at the clock
 * all the time: timers of a millisecond would send in bursts, and the bursts would be what is measured.
 *
 * Argument: JSON of `{ host, port, head, rate, seconds, connections }`. Prints JSON.
 */
const { host, port, head, rate, seconds, connections } = JSON.parse(process.argv[2] ?? '{}');

/** Requests of the first second warm the connections up and are not counted. */
const SKIPPED_MS = 1_000;

/**
 * How long it sleeps between looks at the clock: finer than anything that is measured here, and long enough that upstream and
 * Redis, which share its core, find it free at once.
 */
const NAP_MS = 0.01;
const bell = new Int32Array(new SharedArrayBuffer(4));

const request = Buffer.from(head);
const latencies = new Float64Array(Math.ceil(rate * seconds * 1.5));
const lateness = new Float64Array(latencies.length);
/** The same latencies by the second in which they were due. */
const bySecond = Array.from({ length: seconds }, () => /** @type {number[]} */ ([]));
let counted = 0;
let sent = 0;
let errors = 0;
let open = 0;

/** @typedef {{ socket: import('node:net').Socket, dueMs: number, missing: number, seen: Buffer | undefined }} Line */

/** @type {Line[]} */
const idle = [];
/** Due times of requests that found every connection busy. @type {number[]} */
const waiting = [];

for (let index = 0; index < connections; index++) idle.push(await openLine());
const startMs = performance.now();
const endMs = startMs + SKIPPED_MS + seconds * 1_000;
let nextMs = startMs;
tick();

function tick() {
  const now = performance.now();
  while (nextMs <= now && nextMs < endMs) {
    const line = idle.pop();
    if (line === undefined) {
      waiting.push(nextMs);
    } else {
      if (nextMs >= startMs + SKIPPED_MS && sent < lateness.length) lateness[sent++] = now - nextMs;
      send(line, nextMs);
    }
    // Exponential gaps: independent clients, not a metronome.
    nextMs += (-Math.log(1 - Math.random()) * 1_000) / rate;
  }
  if (nextMs >= endMs && (open === 0 || now >= endMs + 5_000)) return finish();
  Atomics.wait(bell, 0, 0, Math.min(NAP_MS, Math.max(0, nextMs - now)));
  setImmediate(tick);
}

function finish() {
  const sorted = latencies.subarray(0, counted).sort();
  const late = lateness.subarray(0, sent).sort();
  const micros = (/** @type {Float64Array} */ values, /** @type {number} */ share) =>
    Math.round(percentile(values, share) * 1_000);
  const result = {
    requests: counted,
    // What never came counts as an error, as does what came with another status than 200.
    errors: errors + open + waiting.length,
    p50Us: micros(sorted, 0.5),
    p99Us: micros(sorted, 0.99),
    secondsP99Us: bySecond.map((second) => micros(Float64Array.from(second).sort(), 0.99)),
    maxUs: micros(sorted, 1),
    sentLateP99Us: micros(late, 0.99),
  };
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
}

/**
 * @param {Line} line
 * @param {number} dueMs
 */
function send(line, dueMs) {
  open++;
  line.dueMs = dueMs;
  line.socket.write(request);
}

/** @returns {Promise<Line>} */
async function openLine() {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  /** @type {Line} */
  const line = { socket, dueMs: 0, missing: 0, seen: undefined };
  socket.on('data', (chunk) => receive(line, chunk));
  socket.on('error', () => errors++);
  socket.on('close', () => errors++);
  return line;
}

/**
 * Requests are not pipelined, so a chunk belongs to one answer; mostly it is all of it.
 * @param {Line} line
 * @param {Buffer} chunk
 */
function receive(line, chunk) {
  if (line.missing === 0) {
    const seen = line.seen === undefined ? chunk : Buffer.concat([line.seen, chunk]);
    const headEnd = seen.indexOf('\r\n\r\n');
    line.seen = headEnd === -1 ? seen : undefined;
    if (headEnd === -1) return;
    const text = seen.toString('latin1', 0, headEnd);
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    if (length === undefined || !text.startsWith('HTTP/1.1 200')) errors++;
    line.missing = headEnd + 4 + Number(length ?? 0) - seen.length;
  } else {
    line.missing -= chunk.length;
  }
  if (line.missing > 0) return;
  line.missing = 0;
  answered(line);
}

/** @param {Line} line */
function answered(line) {
  const now = performance.now();
  open--;
  const second = Math.floor((line.dueMs - startMs - SKIPPED_MS) / 1_000);
  if (second >= 0 && counted < latencies.length) {
    latencies[counted++] = now - line.dueMs;
    bySecond[second]?.push(now - line.dueMs);
  }
  const dueMs = waiting.shift();
  if (dueMs === undefined) idle.push(line);
  else send(line, dueMs);
}
