import { once } from 'node:events';
import { createServer } from 'node:http';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { readValues } from './values.mjs';
import { GATEHOUSE_MAIN, PRODUCTION_FLAGS } from './prerequisites.mjs';
import { cpuMicros } from './process-usage.mjs';
import { freePort } from './stage/free-port.mjs';

const HELP = `Usage: node bench/tls.mjs [--requests 20000] [--rounds 3]

CPU of the gateway per request over plain HTTP/1.1, HTTP/1.1 over TLS and HTTP/2, each with 32 requests in flight on kept
connections (HTTP/2: one). Needs openssl for the certificate.
`;
const values = readValues(HELP, {
  requests: { type: 'string', default: '20000' },
  rounds: { type: 'string', default: '3' },
});
const requests = Number(values.requests);
const IN_FLIGHT = 32;
const ADMIN_TOKEN = 'a-token-that-nobody-needs-here';
const dir = mkdtempSync(join(tmpdir(), 'gatehouse-tls-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
const [certFile, keyFile] = [join(dir, 'a.crt'), join(dir, 'a.key')];
// prettier-ignore
execFileSync('openssl', [
  'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
  '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', keyFile, '-out', certFile,
], { stdio: 'ignore' });

const upstream = createServer((_request, response) => {
  const body = `{"ok":true,"padding":"${'x'.repeat(87)}"}`;
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  response.end(body);
});
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
const [port, tlsPort] = [await freePort(), await freePort()];
const gateway = spawn(process.execPath, [...PRODUCTION_FLAGS, GATEHOUSE_MAIN], {
  cwd: dir,
  stdio: 'ignore',
  env: {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(port),
    TLS_PORT: String(tlsPort),
    TLS_CERT_FILE: certFile,
    TLS_KEY_FILE: keyFile,
    ADMIN_TOKEN,
    ALLOW_PRIVATE_UPSTREAMS: 'true',
    DATA_DIR: join(dir, 'data'),
  },
});
process.on('exit', () => gateway.kill('SIGKILL'));
for (let i = 0; i < 200; i++) {
  if (
    await fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  )
    break;
  await delay(50);
}
const key = await prepare();

const agents = {
  plain: new http.Agent({ keepAlive: true, maxSockets: IN_FLIGHT }),
  tls: new https.Agent({ keepAlive: true, maxSockets: IN_FLIGHT, rejectUnauthorized: false }),
};
const session = http2.connect(`https://127.0.0.1:${tlsPort}`, { rejectUnauthorized: false });
await once(session, 'connect');
const ways = {
  'HTTP/1.1, plain': () => askHttp1(http, agents.plain, port),
  'HTTP/1.1 over TLS': () => askHttp1(https, agents.tls, tlsPort),
  'HTTP/2 over TLS': askHttp2,
};
/** @type {Record<string, number[]>} */
const found = {};
for (let round = 0; round <= Number(values.rounds); round++) {
  for (const [name, ask] of Object.entries(ways)) {
    const micros = await measure(ask);
    // The first round warms up.
    if (round > 0) (found[name] ??= []).push(micros);
  }
}
console.log('| | CPU µs/request (each round) |\n| --- | ---: |');
for (const [name, rounds] of Object.entries(found)) {
  console.log(`| ${name} | ${rounds.map((micros) => micros.toFixed(0)).join(', ')} |`);
}
session.close();
upstream.close();
upstream.closeAllConnections();
gateway.kill('SIGTERM');
await once(gateway, 'exit');
process.exit(0);

/** @param {() => Promise<void>} ask */
async function measure(ask) {
  let left = requests;
  const client = async () => {
    while (left-- > 0) await ask();
  };
  const before = cpuMicros(gateway.pid);
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
  return (cpuMicros(gateway.pid) - before) / requests;
}

function askHttp1(client, agent, to) {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: to, path: '/api/x', agent, headers: { 'X-API-Key': key } };
    const outgoing = client.get(options, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.resume().on('end', resolve);
    });
    outgoing.on('error', reject);
  });
}

function askHttp2() {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': '/api/x', 'x-api-key': key });
    stream.on('response', (headers) => {
      if (headers[':status'] !== 200) reject(new Error(`status ${headers[':status']}`));
    });
    stream.on('error', reject);
    stream.resume().on('end', resolve);
  });
}

async function prepare() {
  const call = async (path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { 'X-Admin-Token': ADMIN_TOKEN, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return answer.json();
  };
  await call('/admin/tenants', {
    id: 'acme',
    name: 'ACME',
    upstreamBaseUrl: `http://127.0.0.1:${upstream.address().port}`,
    allowedRoutes: [{ path: '/' }],
    rateLimit: { windowSeconds: 60, maxRequests: 100_000_000 },
  });
  return (await call('/admin/tenants/acme/api-keys', { name: 'bench' })).key;
}
