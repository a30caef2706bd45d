import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readValues } from './values.mjs';
import { killAll, startChild, stopAll, waitUntilReady } from './children.mjs';
import { GATEHOUSE_MAIN, PRODUCTION_FLAGS } from './prerequisites.mjs';
import { cpuMicros } from './process-usage.mjs';
import { freePort } from './stage/free-port.mjs';
import { nginxPreamble } from './stage/nginx-preamble.mjs';

const HELP = `Usage: node bench/grpc.mjs [--requests 20000] [--rounds 3]

CPU of a gateway per unary call of gRPC (h2c on both sides, one connection, 32 calls in flight), and per request of HTTP/1.1 to
upstreams of HTTP/1.1 and of HTTP/2. Gatehouse checks a key, a route and a limit; nginx (grpc_pass) and Caddy, where they
are found, forward and do nothing else. All are measured in turns, each on core 0; client and upstream share core 1.
`;
const values = readValues(HELP, {
  requests: { type: 'string', default: '20000' },
  rounds: { type: 'string', default: '3' },
});
const requests = Number(values.requests);
const IN_FLIGHT = 32;
const ADMIN_TOKEN = 'a-token-that-nobody-needs-here';
const PATH = '/bench.Echo/Unary';
/** A message of 100 bytes behind its five bytes of prefix. */
const MESSAGE = Buffer.concat([Buffer.from([0, 0, 0, 0, 100]), Buffer.alloc(100, 'x')]);

const dir = mkdtempSync(join(tmpdir(), 'gatehouse-grpc-'));
process.on('exit', () => {
  killAll();
  rmSync(dir, { recursive: true, force: true });
});
execFileSync('taskset', ['-cp', '1', String(process.pid)], { stdio: 'ignore' });

/** @type {string} */
let gatehouseKey;
const upstreams = await startUpstreams();
const gatehouse = await startGatehouse();
/** @type {Record<string, { pid: number, ask: () => Promise<void> }>} */
const ways = {
  'Gatehouse: HTTP/1.1 → HTTP/1.1': { pid: gatehouse.pid, ask: askHttp1(gatehouse.port, '/plain/x') },
  'Gatehouse: HTTP/1.1 → h2c': { pid: gatehouse.pid, ask: askHttp1(gatehouse.port, '/h2c/x') },
  'Gatehouse: gRPC, h2c → h2c': { pid: gatehouse.pid, ask: await askGrpc(gatehouse.port) },
};
for (const [name, start] of Object.entries({ nginx: startNginx, Caddy: startCaddy })) {
  const peer = await start().catch(() => undefined);
  if (peer) ways[`${name}: gRPC, h2c → h2c`] = { pid: peer.pid, ask: await askGrpc(peer.port) };
}

/** @type {Record<string, number[]>} */
const found = {};
for (let round = 0; round <= Number(values.rounds); round++) {
  for (const [name, way] of Object.entries(ways)) {
    const micros = await measure(way);
    // The first round warms up.
    if (round > 0) (found[name] ??= []).push(micros);
  }
}
console.log('| | CPU µs/request (each round) |\n| --- | ---: |');
for (const [name, rounds] of Object.entries(found))
  console.log(`| ${name} | ${rounds.map((micros) => micros.toFixed(0)).join(', ')} |`);
await stopAll();
process.exit(0);

/** @param {{ pid: number, ask: () => Promise<void> }} way */
async function measure({ pid, ask }) {
  let left = requests;
  const client = async () => {
    while (left-- > 0) await ask();
  };
  const before = cpuMicros(pid);
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
  return (cpuMicros(pid) - before) / requests;
}

/** One of HTTP/1.1, and one of HTTP/2 that answers calls of gRPC and all else. */
async function startUpstreams() {
  const body = `{"ok":true,"padding":"${'x'.repeat(87)}"}`;
  const plain = http.createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    response.end(body);
  });
  const h2c = http2.createServer();
  h2c.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (headers['content-type'] !== 'application/grpc') {
      stream.respond({ ':status': 200, 'content-type': 'application/json', 'content-length': body.length });
      return stream.end(body);
    }
    stream.resume().on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(MESSAGE);
    });
  });
  await Promise.all([plain, h2c].map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
  return { plain: plain.address().port, h2c: h2c.address().port };
}

async function startGatehouse() {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const child = startChild({
    name: 'Gatehouse',
    core: 0,
    command: process.execPath,
    args: [...PRODUCTION_FLAGS, GATEHOUSE_MAIN],
    cwd: dir,
    log: join(dir, 'gatehouse.log'),
    env: {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      HTTP2_CLEARTEXT: 'true',
      ADMIN_TOKEN,
      ALLOW_PRIVATE_UPSTREAMS: 'true',
      DATA_DIR: join(dir, 'data'),
    },
  });
  await waitUntilReady(child, async () => (await fetch(`${origin}/readyz`)).ok);
  const call = async (method, path, body) => {
    const headers = { 'X-Admin-Token': ADMIN_TOKEN, 'Content-Type': 'application/json' };
    const answer = await fetch(origin + path, { method, headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return answer.json();
  };
  const limit = { windowSeconds: 60, maxRequests: 100_000_000 };
  const tenant = { id: 'acme', name: 'ACME', upstreamBaseUrl: 'http://127.0.0.1:1', allowedRoutes: [{ path: '/' }], rateLimit: limit }; // prettier-ignore
  await call('POST', '/admin/tenants', tenant);
  const service = async (url) =>
    (await call('POST', '/admin/tenants/acme/services', { name: url, targets: [{ url }] })).id;
  const [plain, h2c] = [
    await service(`http://127.0.0.1:${upstreams.plain}`),
    await service(`h2c://127.0.0.1:${upstreams.h2c}`),
  ];
  const auth = { jwt: false, apiKey: true };
  const { key } = await call('POST', '/admin/tenants/acme/api-keys', { name: 'bench', rateLimit: limit });
  await call('PUT', '/admin/tenants/acme/publication', {
    routes: [
      { name: 'plain', path: '/plain', backends: [{ service: plain }], auth },
      { name: 'h2c', path: '/h2c', backends: [{ service: h2c }], auth },
      { name: 'grpc', path: '/bench.Echo', backends: [{ service: h2c }], auth },
    ],
  });
  const headers = { 'x-api-key': key };
  await waitUntilReady(child, async () => (await fetch(`${origin}/h2c/x`, { headers })).ok);
  gatehouseKey = key;
  return { port, pid: child.pid };
}

async function startNginx() {
  const port = await freePort();
  const home = join(dir, 'nginx');
  mkdirSync(home);
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    join(home, 'nginx.conf'),
    `${nginxPreamble(home)}
http {
  ${temps.map((kind) => `${kind}_temp_path ${home}/${kind};`).join(' ')}
  access_log off;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  upstream upstream { server 127.0.0.1:${upstreams.h2c}; keepalive ${IN_FLIGHT}; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} http2;
    location / { grpc_pass grpc://upstream; }
  }
}
`,
  );
  const args = ['-c', join(home, 'nginx.conf'), '-p', home];
  return started('nginx', '/usr/sbin/nginx', args, port, {});
}

async function startCaddy() {
  const port = await freePort();
  const file = join(dir, 'Caddyfile');
  writeFileSync(
    file,
    `{
  admin off
  auto_https off
  servers {
    protocols h1 h2c
  }
}
:${port} {
  bind 127.0.0.1
  reverse_proxy h2c://127.0.0.1:${upstreams.h2c}
}
`,
  );
  const env = { GOMAXPROCS: '1', HOME: dir };
  return started('Caddy', 'caddy', ['run', '--config', file, '--adapter', 'caddyfile'], port, env);
}

async function started(name, command, args, port, env) {
  const child = startChild({ name, core: 0, command, args, env, log: join(dir, `${name}.log`) });
  await waitUntilReady(child, async () => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    try {
      await once(session, 'remoteSettings');
      return true;
    } finally {
      session.destroy();
    }
  });
  return { port, pid: child.pid };
}

function askHttp1(port, path) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  return () =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, agent, headers: { 'X-API-Key': gatehouseKey } };
      const outgoing = http.get(options, (response) => {
        if (response.statusCode !== 200) reject(new Error(`${path}: status ${response.statusCode}`));
        response.resume().on('end', resolve);
      });
      outgoing.on('error', reject);
    });
}

async function askGrpc(port) {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  await once(session, 'remoteSettings');
  const fields = {
    ':method': 'POST',
    ':path': PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    'x-api-key': gatehouseKey,
  };
  return () =>
    new Promise((resolve, reject) => {
      const stream = session.request(fields);
      let status;
      stream.on('trailers', (trailers) => (status = trailers['grpc-status']));
      stream.on('error', reject);
      stream.on('end', () => (status === '0' ? resolve() : reject(new Error(`grpc-status ${status}`))));
      stream.resume().end(MESSAGE);
    });
}
