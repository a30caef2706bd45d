import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type Exit, scratchFolder, startChild, waitFor } from './children';

const ROOT = resolve(__dirname, '../..');

/** One line of the gateway's output, parsed. */
export type LogLine = Record<string, unknown> & { msg?: string };

export interface ProcessOptions {
  /** The gateway's environment: nothing else of ours reaches it. `undefined` removes one of the defaults. */
  env?: Record<string, string | undefined>;
  /** Relative to the repository. */
  entry?: string;
  args?: string[];
  /**
   * How far to wait: until it serves (`ready`, the default), until it has its ports (`listening`, for a start
   * without its Redis), or not at all (`spawned`, for a start that is meant to fail).
   */
  until?: 'ready' | 'listening' | 'spawned';
  timeoutMs?: number;
}

export interface TestProcess {
  pid: number;
  /** 0 when it was not waited for. */
  port: number;
  adminPort: number;
  url: string;
  adminUrl: string;
  dataDir: string;
  /** Every line of stdout that is JSON, oldest first. */
  logs: LogLine[];
  /** Lines of stdout that are not JSON: none, if all is well. */
  otherOutput: string[];
  stderr(): string;
  /** The first log line that fits, waiting for it if need be. */
  waitForLog(fits: (line: LogLine) => boolean, timeoutMs?: number): Promise<LogLine>;
  /** Sends the signal and waits for the end; the exit code, or null when the signal itself ended it. */
  stop(signal?: NodeJS.Signals, timeoutMs?: number): Promise<number | null>;
  kill9(): Promise<void>;
  exited: Promise<Exit>;
}

/**
 * Starts the built gateway as a process of its own on free ports with a data folder of its own, and waits until it
 * serves. It ends with the test file at the latest. `npm test` has built dist/ before.
 */
export async function startProcess(options: ProcessOptions = {}): Promise<TestProcess> {
  const { entry = 'dist/src/main.js', args = [], until = 'ready', timeoutMs = 20_000 } = options;
  const dataDir = options.env?.DATA_DIR ?? scratchFolder('data');
  const child = await startChild(process.execPath, ['--enable-source-maps', resolve(ROOT, entry), ...args], {
    cwd: scratchFolder('cwd'),
    env: { ...cleanEnvironment(), PORT: '0', DATA_DIR: dataDir, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const logs: LogLine[] = [];
  const otherOutput: string[] = [];
  let stderr = '';
  createInterface({ input: child.process.stdout! }).on('line', (line) => {
    const parsed = parseLine(line);
    if (parsed) logs.push(parsed);
    else if (line) otherOutput.push(line);
  });
  child.process.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));

  const lastWords = () =>
    [
      ...logs.slice(-15).map((line) => JSON.stringify(line)),
      ...otherOutput.slice(-15),
      stderr.slice(-2000),
    ].join('\n');
  /** waitFor, but not on a process that has ended, and with its last output in the message. */
  const patiently = async <T>(what: string, condition: () => T | Promise<T>, ms: number) => {
    try {
      return await waitFor(
        what,
        async () => {
          const value = await condition();
          if (!value && child.hasExited())
            throw new Error(`the gateway ended while it was waited for ${what}`);
          return value;
        },
        ms,
      );
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${lastWords()}`, { cause: error });
    }
  };

  const gateway: TestProcess = {
    pid: child.pid,
    port: 0,
    adminPort: 0,
    url: '',
    adminUrl: '',
    dataDir,
    logs,
    otherOutput,
    stderr: () => stderr,
    waitForLog: (fits, ms = 15_000) => patiently('a log line', () => logs.find(fits), ms),
    stop: async (signal = 'SIGTERM', ms = 20_000) => (await child.end(signal, ms)).code,
    kill9: async () => void (await child.end('SIGKILL')),
    exited: child.exited,
  };
  if (until === 'spawned') return gateway;

  try {
    const isListening = (line: LogLine) => line.msg === 'listening';
    const listening = await patiently('"listening"', () => logs.find(isListening), timeoutMs);
    gateway.port = Number(listening.port);
    gateway.adminPort = Number(listening.adminPort ?? listening.port);
    gateway.url = `http://127.0.0.1:${gateway.port}`;
    gateway.adminUrl = `http://127.0.0.1:${gateway.adminPort}`;
    if (until === 'ready')
      await patiently('/readyz', () => answers200(`${gateway.adminUrl}/readyz`), timeoutMs);
    return gateway;
  } catch (error) {
    await gateway.kill9();
    throw error;
  }
}

/** What any program needs, and none of the gateway's settings that may be set where the tests run. */
function cleanEnvironment(): Record<string, string> {
  const passed = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'SystemRoot', 'NODE_V8_COVERAGE'];
  const kept = passed.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
  };
}

async function answers200(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

function parseLine(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}
