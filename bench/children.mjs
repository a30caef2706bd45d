import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { processTree } from './process-usage.mjs';

/**
 * @typedef {object} Child
 * @property {string} name
 * @property {number} pid
 * @property {string} log                        file that takes its output
 * @property {Promise<number | null>} exited     exit code; null if a signal ended it
 * @property {() => Promise<void>} stop          ends it and everything it started
 */

/** Everything that was started here and has not ended. @type {Map<number, { stop: () => Promise<void> }>} */
const running = new Map();

/**
 * Starts a server pinned to one core, its output in a file. `taskset` replaces itself by the command, so the pid is the server's own.
 * @param {{ name: string, core: number, command: string, args: string[], env?: Record<string, string>, cwd?: string, log: string }} what
 * @returns {Child}
 */
export function startChild({ name, core, command, args, env = {}, cwd, log }) {
  const out = openSync(log, 'a');
  const child = spawn('taskset', ['-c', String(core), command, ...args], {
    cwd,
    // Only what a server needs: a stray REDIS_URL or NODE_OPTIONS of the caller's shell would change what is measured.
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', ...env },
    stdio: ['ignore', out, out],
  });
  closeSync(out);
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${name}: taskset could not be started`);

  /** @type {Promise<number | null>} */
  const exited = new Promise((resolve) => {
    child.once('exit', (code) => {
      running.delete(pid);
      resolve(code);
    });
  });
  const started = { name, pid, log, exited, stop: () => stop(pid, exited) };
  running.set(pid, started);
  return started;
}

/**
 * Runs a program to its end and gives what it printed; ends it early when everything is stopped.
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<string>}
 */
export async function runToEnd(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('close', resolve));
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} could not be started`);
  running.set(pid, { stop: () => stop(pid, exited) });

  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await exited;
  running.delete(pid);
  if (code !== 0)
    throw new Error(`${command} ${args.join(' ').slice(0, 200)} ended with ${code}:\n${output}`);
  return output;
}

/**
 * Waits until `ready` holds; fails with the end of the log when the server ends first or takes too long.
 * @param {Child} child
 * @param {() => Promise<boolean>} ready
 * @param {number} [timeoutMs]
 */
export async function waitUntilReady(child, ready, timeoutMs = 20_000) {
  const deadline = Date.now() + timeoutMs;
  let ended = false;
  void child.exited.then(() => (ended = true));
  for (;;) {
    if (await ready().catch(() => false)) return;
    if (ended || Date.now() > deadline) {
      const tail = readFileSync(child.log, 'utf8').slice(-2_000);
      throw new Error(
        `${child.name} ${ended ? 'ended at once' : 'did not get ready'}; its last words:\n${tail}`,
      );
    }
    await delay(50);
  }
}

/** Stops everything that still runs. */
export async function stopAll() {
  await Promise.all([...running.values()].map((child) => child.stop()));
}

/** The last resort, usable while the process exits: no waiting, no mercy, only pids that were started here. */
export function killAll() {
  for (const pid of running.keys()) for (const member of processTree(pid)) kill(member, 'SIGKILL');
}

/**
 * @param {number} pid
 * @param {Promise<unknown>} exited
 */
async function stop(pid, exited) {
  if (!running.has(pid)) return;
  const tree = processTree(pid);
  kill(pid, 'SIGTERM');
  const ended = await Promise.race([exited.then(() => true), delay(5_000, false, { ref: false })]);
  if (ended) return;
  // The whole tree, because a master that is killed leaves its workers behind.
  for (const member of tree) kill(member, 'SIGKILL');
  await exited;
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone, which is all that was wanted.
  }
}
