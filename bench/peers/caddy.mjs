import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { startChild, waitUntilReady } from '../children.mjs';
import { freePort } from '../stage/free-port.mjs';

/** Caddy with nothing but `reverse_proxy`: the yardstick of every ratio. */
export const caddy = { id: 'caddy', title: 'Caddy, bare', needs: /** @type {const} */ (['caddy']), start };

/**
 * @param {import('../stage/index.mjs').Stage} stage
 * @returns {Promise<import('./index.mjs').RunningPeer>}
 */
async function start({ dir, options, tools, upstream }) {
  const home = join(dir, 'caddy');
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const config = join(home, 'Caddyfile');
  writeFileSync(config, configuration(origin, upstream.port));

  const { path, version } = /** @type {{ path: string, version: string }} */ (tools.caddy);
  const child = startChild({
    name: caddy.title,
    core: options.core,
    command: path,
    args: ['run', '--config', config, '--adapter', 'caddyfile'],
    env: { GOMAXPROCS: '1', HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home },
    log: join(home, 'log'),
  });
  await waitUntilReady(child, async () => (await fetch(`${origin}/ready`)).ok);
  return { id: caddy.id, title: caddy.title, version, pid: child.pid, origin, headers: {}, stop: child.stop };
}

/**
 * Its transport stays as Caddy sets it up: keeping more idle connections than the default 32 was tried and is 5 % cheaper with
 * 64 clients, which is not worth a yardstick that nobody runs.
 * @param {string} origin
 * @param {number} upstreamPort
 */
function configuration(origin, upstreamPort) {
  return `{
  admin off
  auto_https off
}
${origin} {
  reverse_proxy 127.0.0.1:${upstreamPort}
}
`;
}
