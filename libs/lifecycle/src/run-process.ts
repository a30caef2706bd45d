import cluster from 'node:cluster';
import v8 from 'node:v8';
import { ConfigError, loadConfig, readEnvironment, type GatewayConfig } from '#libs/config';
import { StoreUnusableError } from '#libs/store';

/** Something that runs until it is told to stop. */
export interface RunningProcess {
  /** Finishes what is in flight, then releases everything. */
  close(): Promise<void>;
}

/** Conventional exit code for a configuration that cannot be used (sysexits.h EX_CONFIG). */
const EXIT_CONFIG = 78;

/**
 * How far the old generation may outgrow what was live at the last collection. What lives in a gateway is small and
 * steady; V8's default (up to fourfold) trades 50 MB of garbage for collections that were too rare to measure.
 */
const HEAP_GROWTH_PERCENT = 30;

/** npm passes a terminal's Ctrl-C on although the terminal has sent it already: only a later one is a second one. */
const INSISTENCE_MS = 1000;

/**
 * The life of a process: settings are read, `start` serves, and the first SIGTERM or SIGINT ends it with exit code 0,
 * also one that comes during the start. A second signal ends it at once.
 */
export async function runProcess(start: (config: GatewayConfig) => Promise<RunningProcess>): Promise<void> {
  v8.setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
  const running = begin(start);
  let stoppingSince = 0;
  const stop = (): void => {
    if (stoppingSince > 0) {
      if (Date.now() - stoppingSince > INSISTENCE_MS) process.exit(130);
      return;
    }
    stoppingSince = Date.now();
    running.then((started) => started.close()).then(() => process.exit(0), fail);
  };
  // Before the start is over: without a handler the first process of a container would not hear a signal at all.
  process.on('SIGTERM', stop);
  // A terminal sends Ctrl-C to workers too; they wait for the word of their primary, which would be a second signal.
  process.on('SIGINT', cluster.isPrimary ? stop : () => undefined);
  await running.catch(fail);
}

async function begin(start: (config: GatewayConfig) => Promise<RunningProcess>): Promise<RunningProcess> {
  return start(loadConfig(readEnvironment()));
}

function fail(error: unknown): never {
  const lines = error instanceof ConfigError ? error.problems : [describe(error)];
  for (const line of lines) process.stderr.write(`gatehouse: ${line}\n`);
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
}

/** One line where the operator can help it; the stack where only we can. */
function describe(error: unknown): string {
  if (error instanceof StoreUnusableError) return error.message;
  const { code, message, syscall, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `port ${port} is in use: set PORT, ADMIN_PORT or TLS_PORT to another one`;
  // A worker's port is bound by the primary, therefore the second name.
  if (syscall === 'listen' || syscall === 'bind') return `HOST and PORT cannot be listened on: ${message}`;
  if (syscall === 'getaddrinfo') return `HOST cannot be resolved: ${message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
