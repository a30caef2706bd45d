import { execFileSync } from 'node:child_process';
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, scratchFolder, waitFor } from '../support/children';
import { startLoad } from './client';
import type { Fault } from './fault';
import { Balancer } from './load-balancer';
import type { Row } from './row';
import { startHttpUpstream } from './servers';
import { startGateway } from './stage';
import type { WiredRedis } from './topologies';

const CLIENTS = 8;
const PAUSE_MS = 3;
/** Of each file: the journal of some hundred requests, and less than what the row makes it write. */
const FULL_AT_BYTES = 1024;

/** A small answer that takes a moment, so that there are always requests in flight. */
const startWorker = (row: Row) =>
  row.upstream(
    startHttpUpstream((request, response) => {
      request.resume();
      setTimeout(() => response.end('ok'), 5);
    }),
  );

const diskFull: Fault = {
  name: 'journal-disk-full',
  title: 'no room for the journal, and Redis away meanwhile; then room again',
  stage: 'redis',
  gets: ['200'],
  repetitions: 3,
  short: 0,
  async open(row) {
    const upstream = await startWorker(row);
    const { key } = await row.tenant(upstream.url);
    const { wire } = row.stage.topology as WiredRedis;
    const limit = (bytes: string): void => {
      execFileSync('prlimit', ['--pid', String(row.stage.gateway.pid), `--fsize=${bytes}:unlimited`]);
    };
    const troubled = (): boolean =>
      row.stage.gateway.logs.some(({ msg }) => msg?.startsWith('the usage journal cannot be written'));
    return {
      async repeat() {
        const load = startLoad(CLIENTS, PAUSE_MS, (agent) => row.ask({ key, agent, expects: 'ok' }));
        await delay(200);
        limit(String(FULL_AT_BYTES));
        // Nothing is published, so that what the disk has not taken is nowhere but in memory.
        wire.cut();
        await delay(1000);
        limit('unlimited');
        wire.mend();
        await delay(500);
        await load.stop();
        if (!troubled()) row.problems.add('the disk was never full');
      },
      close: () => Promise.resolve(limit('unlimited')),
    };
  },
};

const sigterm: Fault = {
  name: 'sigterm-under-load',
  title: 'SIGTERM under load: what was begun is finished, then nobody listens',
  stage: 'own',
  gets: ['200', 'refused'],
  repetitions: 3,
  short: 0,
  async open(row) {
    const upstream = await startWorker(row);
    const { key } = await row.tenant(upstream.url);
    return {
      async repeat() {
        const gateway = await startGateway(row.stage.topology);
        const agents = Array.from({ length: CLIENTS }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
        const clients = agents.map(async (agent) => {
          for (;;) {
            const { outcome } = await row.ask({ port: gateway.port, key, agent, expects: 'ok' });
            if (outcome !== '200') return;
          }
        });
        await delay(400);
        const code = await gateway.stop('SIGTERM');
        await Promise.all(clients);
        for (const agent of agents) agent.destroy();
        if (code !== 0) row.problems.add(`exit code ${code}`);
      },
      close: () => Promise.resolve(),
    };
  },
};

const rolling: Fault = {
  name: 'rolling-restart',
  title: 'two gateways restarted in turns under load, behind a balancer that asks /readyz: 0 failed',
  stage: 'own',
  gets: ['200'],
  repetitions: 2,
  short: 0,
  async open(row) {
    const upstream = await startWorker(row);
    const { key } = await row.tenant(upstream.url);
    const replicas = await Promise.all(
      [0, 1].map(async () => {
        const env = {
          PORT: String(await freePort()),
          DATA_DIR: scratchFolder('replica'),
          SHUTDOWN_DELAY_MS: '500',
        };
        return { env, gateway: await startGateway(row.stage.topology, env) };
      }),
    );
    const balancer = new Balancer(replicas.map(({ gateway }) => gateway.port));
    return {
      async repeat() {
        let number = 0;
        const load = startLoad(CLIENTS, PAUSE_MS, () => {
          const body = ++number % 2 ? '{"a":1}' : undefined;
          return balancer.send((port, agent) =>
            row.ask({ port, agent, key, method: body ? 'POST' : 'GET', body, expects: 'ok' }),
          );
        });
        for (const replica of replicas) {
          await waitFor('both to be ready', () => balancer.ready === 2, 20_000);
          await delay(200);
          const code = await replica.gateway.stop('SIGTERM');
          if (code !== 0) row.problems.add(`exit code ${code}`);
          await delay(200);
          replica.gateway = await startGateway(row.stage.topology, replica.env);
        }
        await waitFor('both to be ready', () => balancer.ready === 2, 20_000);
        await delay(200);
        await load.stop();
      },
      async close() {
        balancer.close();
        await Promise.all(replicas.map(({ gateway }) => gateway.stop()));
      },
    };
  },
};

/** What may happen to the gateway itself. */
export const PROCESS_FAULTS: readonly Fault[] = [diskFull, sigterm, rolling];
