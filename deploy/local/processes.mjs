// Processes that end with the one that started them, whatever ends that one.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** Kills what it was told of and not told the end of, once its standard input ends: also after `kill -9` of ours. */
const GUARDIAN = `
  while read -r word pid; do
    if [ "$word" = started ]; then all="$all $pid "; else all=$(echo "$all" | sed "s/ $pid / /"); fi
  done
  for pid in $all; do kill -9 "$pid" 2>/dev/null; done
  rm -rf "$0"
`;

/** A folder for what the processes write, and the processes. */
export class Processes {
  /** Hears of those that ended without being told to. */
  onDeath;
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-local-'));
  #running = new Set();
  #closing = false;
  #guardian;

  constructor() {
    // In a group of its own: Ctrl-C in the terminal is not for it.
    const options = { stdio: ['pipe', 'ignore', 'ignore'], detached: true };
    this.#guardian = spawn('sh', ['-c', GUARDIAN, this.folder], options);
    this.#guardian.unref();
    this.#guardian.stdin.unref();
  }

  /** What it prints goes to a file, whose name is `log`. In a group of its own, so that Ctrl-C reaches only us. */
  start(name, command, args, { env, cwd = this.folder } = {}) {
    if (this.#closing) throw new Error('everything is being stopped');
    const log = path.join(this.folder, `${name}.log`);
    const fd = fs.openSync(log, 'a');
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', fd, fd], detached: true });
    fs.closeSync(fd);
    const started = { name, log, pid: child.pid, child, exit: undefined };
    started.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(code ?? signal));
    }).then((exit) => {
      started.exit = exit;
      this.#running.delete(started);
      this.#guardian.stdin.write(`ended ${child.pid}\n`);
      if (!this.#closing && !started.stopping) this.onDeath?.(started);
      return exit;
    });
    this.#running.add(started);
    this.#guardian.stdin.write(`started ${child.pid}\n`);
    return started;
  }

  /** SIGTERM, and SIGKILL to whoever does not heed it; resolves to how it ended. */
  async stop(started, graceMs = 10_000) {
    started.stopping = true;
    if (started.exit === undefined) started.child.kill('SIGTERM');
    const timer = setTimeout(() => started.child.kill('SIGKILL'), graceMs);
    const exit = await started.ended;
    clearTimeout(timer);
    return exit;
  }

  /** All of them, and the folder. */
  async close() {
    this.#closing = true;
    await Promise.all([...this.#running].map((each) => this.stop(each)));
    this.#guardian.stdin.end();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /** The end of what a process has printed. */
  lastWords(started) {
    return fs.readFileSync(started.log, 'utf8').split('\n').slice(-12).join('\n');
  }
}

/** Resolves to a loopback port that nobody has. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until `condition` holds, and gives up with what was waited for. */
export async function until(what, condition, timeoutMs = 30_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
    await pause(50);
  }
}

/** Whether a GET is answered with 200. */
export async function answers(url, timeoutMs = 1000) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

/** The first program of that name on PATH, or where Debian keeps servers. */
export function programOnPath(name) {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
}
