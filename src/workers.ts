import cluster, { type Worker } from 'node:cluster';
import type { GatewayConfig } from '#libs/config';
import { resolveAdminToken, type RunningProcess } from '#libs/lifecycle';
import { createLogging } from '#libs/logging';
import { serveWorkerScrapes } from '#libs/metrics';

/** A worker that dies at once must not be replaced in a tight loop. */
const RESPAWN_DELAY_MS = 1000;
/** Beyond its own time-out a worker that still runs is stuck. */
const STUCK_AFTER_MS = 5000;

/** The primary of `WORKERS` processes that share the port. It serves nothing itself: it keeps the workers alive. */
export async function startWorkers(config: GatewayConfig): Promise<RunningProcess> {
  const logging = createLogging(config);
  const { logger } = logging;
  let stopping = false;
  // Before the fork, so that all workers find the same generated token.
  resolveAdminToken(config, logger);
  serveWorkerScrapes();
  // What keeps one from serving keeps all of them: one says so, and the others are not even started.
  const ports = [config.port, config.adminPort, config.tls?.port].filter((port) => port !== undefined);
  await hasListened(cluster.fork(), ports.length);
  for (let i = 1; i < config.workers; i++) cluster.fork();
  cluster.on('exit', (worker, code, signal) => {
    if (stopping) return;
    logger.error({ pid: worker.process.pid, code, signal }, 'a worker died and is replaced');
    setTimeout(() => !stopping && cluster.fork(), RESPAWN_DELAY_MS);
  });

  const passOn = (): void => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGHUP');
  };
  // Every worker follows the files by itself. Without them a terminal that is closed ends the gateway, as ever.
  if (config.configDir !== undefined) process.on('SIGHUP', passOn);

  return {
    async close() {
      stopping = true;
      process.off('SIGHUP', passOn);
      const workers = Object.values(cluster.workers ?? {}).filter(
        (worker): worker is Worker => worker !== undefined,
      );
      await Promise.all(
        workers.map((worker) => stopWorker(worker, config.shutdownTimeoutMs + STUCK_AFTER_MS)),
      );
      logging.flush();
    },
  };
}

/** Resolves when all its ports are open. A worker that ends instead has said why; its exit code becomes ours. */
function hasListened(worker: Worker, ports: number): Promise<void> {
  return new Promise((resolve) => {
    let missing = ports;
    const onExit = (code: number | null): never => process.exit(code ?? 1);
    worker.once('exit', onExit);
    worker.on('listening', () => {
      missing -= 1;
      if (missing > 0) return;
      worker.off('exit', onExit);
      resolve();
    });
  });
}

/** Resolves when the worker has finished what it had in flight, or was killed because it did not come to an end. */
function stopWorker(worker: Worker, patienceMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (worker.isDead()) return resolve();
    const stuck = setTimeout(() => worker.process.kill('SIGKILL'), patienceMs);
    worker.once('exit', () => {
      clearTimeout(stuck);
      resolve();
    });
    worker.process.kill('SIGTERM');
  });
}
