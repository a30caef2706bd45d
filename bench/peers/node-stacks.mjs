import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { startChild, waitUntilReady } from '../children.mjs';
import { BENCH, peerVersion } from '../prerequisites.mjs';
import { freePort } from '../stage/free-port.mjs';
import { FIRST_NUMBER, seed } from '../stage/tenants.mjs';
import { credentials } from './gatehouse.mjs';

/** The policies of Gatehouse's full path from Fastify and its own plugins. */
export const fastify = stack('fastify', 'Fastify + plugins, same policies');

/** The policies of Gatehouse's full path from Express and the middleware most people take. */
export const express = stack('express', 'Express + middleware, same policies');

/**
 * @param {'fastify' | 'express'} id
 * @param {string} title
 * @returns {import('./index.mjs').Peer}
 */
function stack(id, title) {
  return { id, title, needs: ['redis-server'], start: (stage) => start(stage, id, title) };
}

/**
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {'fastify' | 'express'} id
 * @param {string} title
 * @returns {Promise<import('./index.mjs').RunningPeer>}
 */
async function start(stage, id, title) {
  const home = join(stage.dir, id);
  mkdirSync(home, { recursive: true });
  const redis = await stage.redis(id);
  await seed(redis.url, 'tenants', 1, { upstream: stage.upstream.origin, idp: stage.issuer.idp });
  const port = await freePort();
  const child = startChild({
    name: title,
    core: stage.options.core,
    command: process.execPath,
    args: [join(BENCH, 'peers/stacks', `${id}.mjs`)],
    env: {
      NODE_ENV: 'production',
      PORT: String(port),
      REDIS_URL: redis.url,
      UPSTREAM: stage.upstream.origin,
      ACCESS_LOG: join(home, 'access.log'),
    },
    log: join(home, 'log'),
  });
  const origin = `http://127.0.0.1:${port}`;
  await waitUntilReady(child, async () => (await fetch(`${origin}/metrics`)).ok);
  return {
    id,
    title,
    version: peerVersion(id),
    pid: child.pid,
    origin,
    headers: credentials(stage, FIRST_NUMBER),
    stop: async () => void (await Promise.all([child.stop(), redis.stop()])),
  };
}
