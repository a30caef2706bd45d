import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { startChild, waitUntilReady } from '../children.mjs';
import { freePort } from '../stage/free-port.mjs';
import { nginxPreamble } from '../stage/nginx-preamble.mjs';

/** nginx with nothing but `proxy_pass` over kept connections: what C can do. */
export const nginx = {
  id: 'nginx',
  title: 'nginx, bare',
  needs: /** @type {const} */ (['nginx']),
  start,
};

/**
 * @param {import('../stage/index.mjs').Stage} stage
 * @returns {Promise<import('./index.mjs').RunningPeer>}
 */
async function start({ dir, options, tools, upstream }) {
  const home = join(dir, 'nginx');
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const config = join(home, 'nginx.conf');
  writeFileSync(config, configuration(home, port, upstream.port, options.connections));

  const { path, version } = /** @type {{ path: string, version: string }} */ (tools.nginx);
  const child = startChild({
    name: nginx.title,
    core: options.core,
    command: path,
    args: ['-c', config, '-p', home],
    log: join(home, 'log'),
  });
  await waitUntilReady(child, async () => (await fetch(`${origin}/ready`)).ok);
  return { id: nginx.id, title: nginx.title, version, pid: child.pid, origin, headers: {}, stop: child.stop };
}

/**
 * @param {string} home
 * @param {number} port
 * @param {number} upstreamPort
 * @param {number} connections
 */
function configuration(home, port, upstreamPort, connections) {
  return `${nginxPreamble(home)}
http {
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${home}/${kind};`).join(' ')}
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  upstream upstream { server 127.0.0.1:${upstreamPort}; keepalive ${connections}; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://upstream;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      # Bodies stream through, as they do in the other peers: no disk, neither on the way in nor on the way out.
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
    }
  }
}
`;
}
