import { once } from 'node:events';
import http, { createServer } from 'node:http';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { readValues } from './values.mjs';
import { GATEHOUSE_MAIN, PRODUCTION_FLAGS } from './prerequisites.mjs';
import { cpuMicros } from './process-usage.mjs';
import { freePort } from './stage/free-port.mjs';

const HELP = `Usage: node bench/cache.mjs [--requests 30000] [--rounds 5]

CPU of the gateway per request: answered from the store, forwarded by a tenant without a cache policy, and forwarded by one with
a policy whose responses cannot be stored. In rounds that take turns, with 64 requests in flight on kept connections.
`;
const values = readValues(HELP, {
  requests: { type: 'string', default: '30000' },
  rounds: { type: 'string', default: '5' },
});
const REQUESTS = Number(values.requests);
const IN_FLIGHT = 64;
const ADMIN_TOKEN = 'a-token-that-nobody-needs-here';
const dir = mkdtempSync(join(tmpdir(), 'gatehouse-cache-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

const BODY = `{"ok":true,"padding":"${'x'.repeat(87)}"}`;
let asked = 0;
const upstream = createServer((request, response) => {
  asked += 1;
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': BODY.length,
    'Cache-Control': request.url === '/never' ? 'no-store' : 'max-age=3600',
  });
  response.end(BODY);
});
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
const port = await freePort();
const gateway = spawn(process.execPath, [...PRODUCTION_FLAGS, GATEHOUSE_MAIN], {
  cwd: dir,
  stdio: 'ignore',
  env: {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(port),
    ADMIN_TOKEN,
    ALLOW_PRIVATE_UPSTREAMS: 'true',
    DATA_DIR: join(dir, 'data'),
  },
});
process.on('exit', () => gateway.kill('SIGKILL'));
for (let i = 0; i < 200; i++) {
  const ready = await fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
  if (ready) break;
  await delay(50);
}

const agent = new http.Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
const cached = await tenant('cached', { cache: {} });
const plain = await tenant('plain', {});
const ways = {
  'answered from the store': { key: cached, path: '/api/stored', upstreamRequests: 0 },
  'forwarded, without a policy': { key: plain, path: '/api/stored', upstreamRequests: REQUESTS },
  'forwarded, not storable': { key: cached, path: '/api/never', upstreamRequests: REQUESTS },
};
/** @type {Record<string, number[]>} */
const found = {};
for (let round = 0; round <= Number(values.rounds); round++) {
  for (const [name, way] of Object.entries(ways)) {
    await ask(way);
    const before = asked;
    const micros = await measure(way);
    if (asked - before !== way.upstreamRequests)
      throw new Error(`${name}: the upstream was asked ${asked - before} times`);
    // The first round warms up.
    if (round > 0) (found[name] ??= []).push(micros);
  }
}
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
console.log('| | CPU µs/request, median | each round |\n| --- | ---: | ---: |');
for (const [name, rounds] of Object.entries(found)) {
  console.log(
    `| ${name} | ${median(rounds).toFixed(1)} | ${rounds.map((micros) => micros.toFixed(0)).join(', ')} |`,
  );
}
const [hit, forwarded] = Object.values(found).map(median);
console.log(`\nA hit costs ${(hit / forwarded).toFixed(2)} of a forwarded request.`);
agent.destroy();
upstream.close();
upstream.closeAllConnections();
gateway.kill('SIGTERM');
await once(gateway, 'exit');
process.exit(0);

/** @param {string} id @param {object} more */
async function tenant(id, more) {
  const admin = async (path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}/admin/tenants${path}`, {
      method: 'POST',
      headers: { 'X-Admin-Token': ADMIN_TOKEN, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (response.status !== 201) throw new Error(`no tenant: ${await response.text()}`);
    return response.json();
  };
  const { port: to } = /** @type {import('node:net').AddressInfo} */ (upstream.address());
  await admin('', {
    id,
    name: id,
    upstreamBaseUrl: `http://127.0.0.1:${to}`,
    allowedRoutes: [{ path: '/' }],
    rateLimit: { windowSeconds: 1, maxRequests: 10_000_000 },
    ...more,
  });
  return (await admin(`/${id}/api-keys`, { name: 'bench' })).key;
}

/** @param {{ key: string, path: string }} way */
async function measure(way) {
  let left = REQUESTS;
  const client = async () => {
    while (left-- > 0) await ask(way);
  };
  const before = cpuMicros(/** @type {number} */ (gateway.pid));
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
  return (cpuMicros(/** @type {number} */ (gateway.pid)) - before) / REQUESTS;
}

/** @param {{ key: string, path: string }} way @returns {Promise<void>} */
function ask({ key, path }) {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, agent, headers: { 'X-API-Key': key } };
    http
      .get(options, (response) => {
        if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
        response.resume().on('end', resolve);
      })
      .on('error', reject);
  });
}
