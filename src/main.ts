import cluster from 'node:cluster';
import { runProcess } from '#libs/lifecycle';
import { startGateway } from './gateway';
import { startWorkers } from './workers';

/** All in one: both planes, in one process or in `WORKERS` of them. */
void runProcess((config) =>
  config.workers > 1 && cluster.isPrimary ? startWorkers(config) : startGateway(config),
);
