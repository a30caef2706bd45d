import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { startChild, waitUntilReady } from '../children.mjs';
import { freePort } from './free-port.mjs';
import { nginxPreamble } from './nginx-preamble.mjs';

/** Body sizes of the downloads below `/bodies/` and the uploads to `/uploads/`. */
export const BODY_BYTES = { '64KiB': 64 * 1024, '10MiB': 10 * 1024 * 1024 };

const order = (/** @type {string} */ note) =>
  JSON.stringify({ id: 'ord_01HZX4', status: 'shipped', total: 129.9, note });

/** What an ordinary small API answer weighs: 110 bytes. */
const SMALL_BODY = order('.'.repeat(110 - order('').length));

/**
 * Starts the plain nginx that every peer forwards to. It answers any path below any prefix, because the bare
 * proxies pass `/api/v1/…` on and the gateways pass `/v1/…`.
 * @param {{ dir: string, core: number, nginx: string }} where
 */
export async function startUpstream({ dir, core, nginx }) {
  const home = join(dir, 'upstream');
  mkdirSync(join(home, 'bodies'), { recursive: true });
  for (const [name, bytes] of Object.entries(BODY_BYTES))
    writeFileSync(join(home, 'bodies', name), Buffer.alloc(bytes, 'x'));
  const port = await freePort();
  const config = join(home, 'nginx.conf');
  writeFileSync(config, configuration(home, port));

  const child = startChild({
    name: 'upstream',
    core,
    command: nginx,
    args: ['-c', config, '-p', home],
    log: join(home, 'log'),
  });
  const origin = `http://127.0.0.1:${port}`;
  await waitUntilReady(child, async () => (await fetch(origin)).ok);
  return { port, origin, smallBody: SMALL_BODY };
}

/**
 * @param {string} home
 * @param {number} port
 */
function configuration(home, port) {
  return `${nginxPreamble(home)}
http {
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${home}/${kind};`).join(' ')}
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  open_file_cache max=8 inactive=600s;
  default_type application/json;
  client_max_body_size 0;
  # The whole upload stays in memory: a disk on the load core would be what is measured.
  client_body_buffer_size 11m;
  upstream self { server 127.0.0.1:${port}; keepalive 64; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { return 200 '${SMALL_BODY}'; }
    location ~ /bodies/ { rewrite /bodies/(.*)$ /$1 break; root ${home}/bodies; }
    # "return" alone would answer before the body has arrived. Forwarding buffers all of it first, and then sends none of it.
    location ~ /uploads/ {
      rewrite ^ /received break;
      proxy_pass http://self;
      proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Connection "";
    }
  }
}
`;
}
