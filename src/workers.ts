import cluster, { type Worker } from 'node:cluster';
import type { GatewayConfig } from '#libs/config';
import { resolveAdminToken, type RunningProcess } from '#libs/lifecycle';
import { createLogging } from '#libs/logging';
import { serveWorkerScrapes } from '#libs/metrics';

/** A worker that dies at once must not be replaced in a tight loop. */
const RESPAWN_DELAY_MS = 1000;

/** The primary of `WORKERS` processes that share the port. It serves nothing itself: it keeps the workers alive. */
export function startWorkers(config: GatewayConfig): Promise<RunningProcess> {
  const logging = createLogging(config);
  const { logger } = logging;
  let stopping = false;
  // Before the fork, so that all workers find the same generated token.
  resolveAdminToken(config, logger);
  serveWorkerScrapes();
  cluster.setupPrimary({ execArgv: [...new Set([...process.execArgv, '--enable-source-maps'])] });
  cluster.on('exit', (worker, code, signal) => {
    if (stopping) return;
    logger.error({ pid: worker.process.pid, code, signal }, 'a worker died and is replaced');
    setTimeout(() => !stopping && cluster.fork(), RESPAWN_DELAY_MS);
  });
  for (let i = 0; i < config.workers; i++) cluster.fork();

  return Promise.resolve({
    async close() {
      stopping = true;
      const workers = Object.values(cluster.workers ?? {}).filter(
        (worker): worker is Worker => worker !== undefined,
      );
      await Promise.all(workers.map(stopWorker));
      logging.flush();
    },
  });
}

/** Resolves when the worker has finished what it had in flight. */
function stopWorker(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    if (worker.isDead()) return resolve();
    worker.once('exit', () => resolve());
    worker.process.kill('SIGTERM');
  });
}
