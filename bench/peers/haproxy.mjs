import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { startChild, waitUntilReady } from '../children.mjs';
import { freePort } from '../stage/free-port.mjs';

/** HAProxy with nothing but one backend: the floor. */
export const haproxy = {
  id: 'haproxy',
  title: 'HAProxy, bare',
  needs: /** @type {const} */ (['haproxy']),
  start,
};

/**
 * @param {import('../stage/index.mjs').Stage} stage
 * @returns {Promise<import('./index.mjs').RunningPeer>}
 */
async function start({ dir, options, tools, upstream }) {
  const home = join(dir, 'haproxy');
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const config = join(home, 'haproxy.cfg');
  writeFileSync(config, configuration(port, upstream.port));

  const { path, version } = /** @type {{ path: string, version: string }} */ (tools.haproxy);
  const child = startChild({
    name: haproxy.title,
    core: options.core,
    command: path,
    args: ['-db', '-f', config],
    log: join(home, 'log'),
  });
  await waitUntilReady(child, async () => (await fetch(`${origin}/ready`)).ok);
  return {
    id: haproxy.id,
    title: haproxy.title,
    version,
    pid: child.pid,
    origin,
    headers: {},
    stop: child.stop,
  };
}

/**
 * @param {number} port
 * @param {number} upstreamPort
 */
function configuration(port, upstreamPort) {
  return `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend bench
  bind 127.0.0.1:${port}
  default_backend upstream
backend upstream
  server upstream 127.0.0.1:${upstreamPort}
`;
}
