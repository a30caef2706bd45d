// What a tenant notices of another one that asks for 20 times its share: its p99 alone and beside the noisy one, and how many
// of its requests are refused. The upstream serves as many requests at a time as the gateway lets through. Quicker upstreams make
// the noisy tenant's rate higher; on two cores the generator then takes from the upstream, which shares its core, what it needs.
//   npm run bench:shedding [-- --rounds 5 --seconds 5 --service-ms 50]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { killAll, runToEnd, startChild, stopAll, waitUntilReady } from './children.mjs';
import { GATEHOUSE_MAIN, PRODUCTION_FLAGS } from './prerequisites.mjs';
import { cpuMicros } from './process-usage.mjs';
import { freePort } from './stage/free-port.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    'service-ms': { type: 'string', default: '50' },
    core: { type: 'string', default: '1' },
    'load-core': { type: 'string', default: '0' },
    assert: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

const LIMIT = 10;
const SERVICE_MS = Number(values['service-ms']);
/** Requests per second of one tenant's half of the slots. */
const SHARE = ((LIMIT / 2) * 1000) / SERVICE_MS;
const POLITE = { name: 'polite', rate: 0.6 * SHARE, connections: 32 };
const NOISY = { name: 'noisy', rate: 20 * SHARE, connections: 256 };
/** What is promised. */
const MOST_P99 = 1.2;

const TOKEN = 'shedding-bench-token';
const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-shedding-'));
process.once('exit', () => {
  killAll();
  rmSync(folder, { recursive: true, force: true });
});

const [port, upstreamPort] = [await freePort(), await freePort()];
const origin = `http://127.0.0.1:${port}`;
startChild({
  name: 'upstream',
  core: Number(values['load-core']),
  command: process.execPath,
  args: [
    here('./load/limited-upstream.mjs'),
    JSON.stringify({ port: upstreamPort, atOnce: LIMIT, serviceMs: SERVICE_MS }),
  ],
  log: join(folder, 'upstream.log'),
});
const gateway = startChild({
  name: 'gatehouse',
  core: Number(values.core),
  command: process.execPath,
  args: [...PRODUCTION_FLAGS, GATEHOUSE_MAIN],
  env: {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(port),
    ADMIN_TOKEN: TOKEN,
    DATA_DIR: join(folder, 'data'),
    ALLOW_PRIVATE_UPSTREAMS: 'true',
    MAX_CONCURRENT_REQUESTS: String(LIMIT),
  },
  log: join(folder, 'gatehouse.log'),
});
await waitUntilReady(gateway, async () => (await fetch(`${origin}/readyz`)).ok);
const heads = Object.fromEntries(
  await Promise.all([POLITE, NOISY].map(async ({ name }) => [name, await addTenant(name)])),
);

/** @type {Record<'alone' | 'beside', { polite: any[], noisy: any[], cpu: number[] }>} */
const measured = {
  alone: { polite: [], noisy: [], cpu: [] },
  beside: { polite: [], noisy: [], cpu: [] },
};
await load([POLITE, NOISY], 2);
for (let round = 0; round < rounds; round++) {
  for (const [how, tenants] of /** @type {const} */ ([
    ['alone', [POLITE]],
    ['beside', [POLITE, NOISY]],
  ])) {
    const cpuBefore = cpuMicros(gateway.pid);
    const [polite, noisy] = await load(tenants, seconds);
    measured[how].cpu.push((cpuMicros(gateway.pid) - cpuBefore) / 1e6 / (seconds + 1));
    measured[how].polite.push(polite);
    if (noisy) measured[how].noisy.push(noisy);
  }
}
await stopAll();
report();

/** @param {string} name */
async function addTenant(name) {
  const admin = async (/** @type {string} */ path, /** @type {object} */ body) => {
    const headers = { 'X-Admin-Token': TOKEN, 'Content-Type': 'application/json' };
    const response = await fetch(origin + path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  await admin('/admin/tenants', {
    id: name,
    name,
    upstreamBaseUrl: `http://127.0.0.1:${upstreamPort}`,
    allowedRoutes: [{ path: '/' }],
    rateLimit: { windowSeconds: 1, maxRequests: 1_000_000 },
  });
  const { key } = await admin(`/admin/tenants/${name}/api-keys`, { name });
  return `GET /api/item HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-API-Key: ${key}\r\n\r\n`;
}

/**
 * @param {ReadonlyArray<typeof POLITE>} tenants
 * @param {number} length  seconds
 */
async function load(tenants, length) {
  const work = {
    host: '127.0.0.1',
    port,
    seconds: length,
    tenants: tenants.map((tenant) => ({ ...tenant, head: heads[tenant.name] })),
  };
  const args = ['-c', String(values['load-core']), process.execPath, here('./load/two-tenants-worker.mjs')];
  return JSON.parse(await runToEnd('taskset', [...args, JSON.stringify(work)]));
}

function report() {
  const median = (/** @type {number[]} */ list) => [...list].sort((a, b) => a - b)[list.length >> 1] ?? NaN;
  const sum = (/** @type {any[]} */ results, /** @type {string} */ status) =>
    results.reduce((total, { statuses }) => total + (statuses[status] ?? 0), 0);
  const lost = (/** @type {any[]} */ results) =>
    results.reduce((total, { unanswered }) => total + unanswered, 0) + sum(results, 'broken');
  console.log(
    `${LIMIT} requests under way, ${SERVICE_MS} ms each; polite ${POLITE.rate}/s, noisy ${NOISY.rate}/s (20 × its share); ` +
      `medians of ${rounds} rounds of ${seconds} s.\n`,
  );
  console.log(
    '| | p50, ms | p99, ms | max, ms | generator late p99, ms | 200 | 503 | lost | CPU of the gateway |',
  );
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const [title, results, cpu] of /** @type {const} */ ([
    ['polite alone', measured.alone.polite, measured.alone.cpu],
    ['polite beside noisy', measured.beside.polite, measured.beside.cpu],
    ['noisy', measured.beside.noisy, measured.beside.cpu],
  ])) {
    const figures = ['p50Ms', 'p99Ms', 'maxMs', 'sentLateP99Ms'].map((name) =>
      median(results.map((result) => result[name])).toFixed(2),
    );
    const counts = [sum(results, '200'), sum(results, '503'), lost(results)];
    console.log(`| ${[title, ...figures, ...counts, `${Math.round(median(cpu) * 100)} %`].join(' | ')} |`);
  }
  const ratios = measured.beside.polite.map(({ p99Ms }, i) => p99Ms / measured.alone.polite[i].p99Ms);
  const refused = sum(measured.beside.polite, '503') + lost(measured.beside.polite);
  console.log(
    `\np99 beside / alone: median ${median(ratios).toFixed(3)}, all ${ratios.map((ratio) => ratio.toFixed(3)).join(' ')}; ` +
      `requests of the polite tenant that were not served: ${refused}.`,
  );
  if (values.assert && (median(ratios) > MOST_P99 || refused > 0)) process.exitCode = 1;
}
