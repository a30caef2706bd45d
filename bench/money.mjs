import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { readValues } from './values.mjs';
import { startClients } from './load/counting-client.mjs';
import { GATEHOUSE_MAIN } from './prerequisites.mjs';
import { freePort } from './stage/free-port.mjs';
import { startSeverable } from './stage/severable.mjs';

const HELP = `Usage: node bench/money.mjs [--kills 20] [--clients 8] [--quick]

Kills a gateway with -9 again and again under load, kills and restarts Redis (append-only file) and cuts the way to it in between,
and compares what was billed in the end with the responses that the clients have received whole. Ends with 1 if the two differ.
`;
const values = readValues(HELP, {
  kills: { type: 'string', default: '20' },
  clients: { type: 'string', default: '8' },
  quick: { type: 'boolean', default: false },
});
const kills = values.quick ? 3 : Number(values.kills);
const dir = mkdtempSync(join(tmpdir(), 'gatehouse-money-'));
/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const API_KEY = randomBytes(16).toString('hex');
const redisPort = await freePort();
const gatewayPort = await freePort();
let served = 0;
const upstream = createServer((_request, response) => {
  served += 1;
  response.end('{"ok":true}');
});
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
const way = await startSeverable(redisPort);

let redis = await startRedis();
const client = new Redis({ port: redisPort, maxRetriesPerRequest: null, retryStrategy: () => 100 });
client.on('error', () => undefined);
const upstreamPort = /** @type {import('node:net').AddressInfo} */ (upstream.address()).port;
await client.set(
  'tenant:acme',
  JSON.stringify({
    id: 'acme',
    name: 'ACME',
    upstreamBaseUrl: `http://127.0.0.1:${upstreamPort}`,
    allowedRoutes: [{ path: '/' }],
    rateLimit: { windowSeconds: 60, maxRequests: 100_000_000 },
  }),
);
await client.set(`tenant:byApiKey:${createHash('sha256').update(API_KEY).digest('hex')}`, 'acme');

let gateway = await startGateway();
const load = startClients({
  port: gatewayPort,
  path: '/api/work',
  headers: { 'X-API-Key': API_KEY },
  clients: Number(values.clients),
});
for (let kill = 1; kill <= kills; kill++) {
  await delay(400 + Math.random() * 1_200);
  if (kill % 5 === 2) await restartRedis();
  if (kill % 5 === 4) await partition();
  gateway.kill('SIGKILL');
  await once(gateway, 'exit');
  children.delete(gateway);
  gateway = await startGateway();
  process.stderr.write(`kill ${kill}: ${load.tally.received} received so far\n`);
}
await delay(500);
await load.stop();
const billed = await settledBill();
gateway.kill('SIGTERM');
await once(gateway, 'exit');
client.disconnect();
way.close();
upstream.close();
redis.kill('SIGTERM');

const { received, refused, broken } = load.tally;
const over = Math.max(0, billed - received);
const lost = Math.max(0, received - billed);
console.log('| kills | served by the upstream | received whole | billed | over-billed | lost |');
console.log('| ---: | ---: | ---: | ---: | ---: | ---: |');
console.log(`| ${kills} | ${served} | ${received} | ${billed} | ${over} | ${lost} |`);
console.log(
  `\n${refused} requests were refused and ${broken} broken off meanwhile; none of them was to be billed.`,
);
process.exit(over > 0 || lost > 0 ? 1 : 0);

async function startRedis() {
  const home = join(dir, 'redis');
  mkdirSync(home, { recursive: true });
  // prettier-ignore
  const args = ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes', '--dir', home];
  const child = start('redis-server', args, {}, 'redis.log');
  const probe = new Redis({ port: redisPort, retryStrategy: () => 50, maxRetriesPerRequest: null });
  probe.on('error', () => undefined);
  for (;;) {
    const answer = await probe.ping().catch(() => undefined);
    if (answer === 'PONG') break;
    await delay(50);
  }
  probe.disconnect();
  return child;
}

async function restartRedis() {
  redis.kill('SIGKILL');
  await once(redis, 'exit');
  children.delete(redis);
  await delay(300);
  redis = await startRedis();
}

async function partition() {
  way.cut();
  await delay(1_500);
  way.heal();
}

async function startGateway() {
  const child = start(
    process.execPath,
    [GATEHOUSE_MAIN],
    {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(gatewayPort),
      ADMIN_TOKEN: 'a-token-that-nobody-needs-here',
      DATA_DIR: join(dir, 'data'),
      REDIS_URL: `redis://127.0.0.1:${way.port}`,
      ALLOW_PRIVATE_UPSTREAMS: 'true',
      LOG_LEVEL: 'warn',
    },
    'gateway.log',
  );
  for (;;) {
    if (child.exitCode !== null) throw new Error('the gateway ended at once; see gateway.log');
    const answer = await fetch(`http://127.0.0.1:${gatewayPort}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return child;
    await delay(20);
  }
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @param {string} log
 */
function start(command, args, env, log) {
  const out = openSync(join(dir, log), 'a');
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', out, out],
  });
  children.add(child);
  return child;
}

/** What has been billed, once nothing is added to it any more: journals of the dead are published by the living. */
async function settledBill() {
  let last = -1n;
  let still = 0;
  for (;;) {
    const fields = await client.hgetall('gatehouse:{acme}:ledger:totals');
    const sum = Object.entries(fields)
      .filter(([field]) => /^k\|[^|]*\|billed$/.test(field))
      .reduce((total, [, amount]) => total + BigInt(amount), 0n);
    still = sum === last ? still + 1 : 0;
    if (still >= 10) return Number(sum);
    last = sum;
    await delay(500);
  }
}
