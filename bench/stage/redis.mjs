import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { startChild, waitUntilReady } from '../children.mjs';
import { freePort } from './free-port.mjs';

/**
 * Starts an empty Redis that saves nothing. Every peer that needs one gets its own, so that none pays for another's keys.
 * @param {{ dir: string, core: number, redisServer: string, name: string }} what
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startRedis({ dir, core, redisServer, name }) {
  const home = join(dir, `redis-${name}`);
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  const child = startChild({
    name: `redis for ${name}`,
    core,
    command: redisServer,
    args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', home],
    log: join(home, 'log'),
  });
  await waitUntilReady(child, () => answersPing(port));
  return { url: `redis://127.0.0.1:${port}`, stop: child.stop };
}

/** @param {number} port */
async function answersPing(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [answer] = await once(socket, 'data');
    return String(answer).startsWith('+PONG');
  } finally {
    socket.destroy();
  }
}
