import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, statfsSync } from 'node:fs';
import { type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Kills the children named on its stdin when that stdin ends, which it does when the jest worker ends in whatever
 * way, `kill -9` included. (`process.on('exit')` would not do: inside jest it listens to a copy of `process`.)
 * It leads a process group of its own, so that Ctrl-C in the terminal does not end it first.
 */
const GUARDIAN = `
  all=
  while read -r state pid; do eval "state_$pid=$state"; all="$all $pid"; done
  for pid in $all; do eval "state=\\$state_$pid"; [ "$state" = started ] && kill -9 "$pid" 2>/dev/null; done
  rm -rf "$0" "$1"
`;

const MEMORY = '/dev/shm';
/** Ten times what the tests of all workers have there at once. */
const ROOM_BYTES = 1024 ** 3;
/**
 * Folders of files whose every write waits for the disk, which outlive processes but no machine: in memory where
 * there is room. Programs are not kept there, for it may forbid to run them.
 */
const IN_MEMORY = new Set(['data', 'embedded', 'redis', 'journal', 'ledgers', 'epochs', 'batches']);

let guardian: { tell(line: string): void; folder: string; quickFolder: string } | undefined;

function theGuardian() {
  if (guardian) return guardian;
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-test-'));
  const quickFolder = inMemory() ?? folder;
  const child = spawn('sh', ['-c', GUARDIAN, folder, quickFolder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Neither may keep the worker alive: it is the worker's end that has to be noticed.
  child.unref();
  const stdin = child.stdin as Socket;
  stdin.unref();
  guardian = { folder, quickFolder, tell: (line) => void stdin.write(`${line}\n`) };
  return guardian;
}

function inMemory(): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize < ROOM_BYTES ? undefined : mkdtempSync(join(MEMORY, 'gatehouse-test-'));
  } catch {
    // Other systems have none, and some let only root write there.
    return undefined;
  }
}

/** A new folder for a test's files; gone when the test file is. */
export function scratchFolder(name: string): string {
  const { folder, quickFolder } = theGuardian();
  const path = join(IN_MEMORY.has(name) ? quickFolder : folder, name);
  mkdirSync(path, { recursive: true });
  return mkdtempSync(join(path, '/'));
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface TestChild {
  process: ChildProcess;
  pid: number;
  /** Settles when the child has ended and its output was read. */
  exited: Promise<Exit>;
  hasExited(): boolean;
  /** Sends the signal and waits; a child that does not end within `timeoutMs` is killed and reported. */
  end(signal: NodeJS.Signals, timeoutMs?: number): Promise<Exit>;
}

/** Starts a child that cannot outlive the test file. */
export async function startChild(command: string, args: string[], options: SpawnOptions): Promise<TestChild> {
  const process = spawn(command, args, options);
  await new Promise<void>((resolve, reject) => {
    process.once('spawn', resolve);
    process.once('error', reject);
  });
  // A child that a failed test left behind must not keep jest from ending: the guardian takes it then.
  process.unref();
  for (const pipe of [process.stdin, process.stdout, process.stderr]) (pipe as Socket | null)?.unref();
  const pid = process.pid!;
  theGuardian().tell(`started ${pid}`);
  let ended = false;
  const exited = new Promise<Exit>((resolve) => {
    process.once('exit', (code, signal) => {
      // The number may be another process's soon: it must not be killed at the end.
      theGuardian().tell(`ended ${pid}`);
      const settle = () => {
        ended = true;
        resolve({ code, signal });
      };
      // The last output comes with `close`, which does not come while a child of the child holds the pipe.
      process.once('close', settle);
      setTimeout(settle, 1000).unref();
    });
  });
  const end = async (signal: NodeJS.Signals, timeoutMs = 20_000): Promise<Exit> => {
    if (ended) return exited;
    process.kill(signal);
    let late: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      late = setTimeout(() => {
        process.kill('SIGKILL');
        reject(new Error(`${command} (pid ${pid}) did not end within ${timeoutMs} ms of ${signal}; killed`));
      }, timeoutMs);
    });
    return Promise.race([exited, tooLate]).finally(() => clearTimeout(late));
  };
  return { process, pid, exited, hasExited: () => ended, end };
}

/**
 * A loopback port nobody listens on. Taken from below the range the kernel uses for outgoing connections
 * (32768 and up on Linux), so that it is still free when a killed server is restarted on it.
 */
export async function freePort(from = 11_000, to = 20_999): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = from + Math.floor(Math.random() * (to - from + 1));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${from} and ${to}`);
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/**
 * Polls until `condition` returns something truthy and hands that back; throws `what` after `timeoutMs`, which is only
 * the time a failure takes, and long enough for a busy machine.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = 15_000,
  everyMs = 20,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
