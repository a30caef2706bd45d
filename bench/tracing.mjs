import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { readValues } from './values.mjs';
import { startChild, stopAll, waitUntilReady } from './children.mjs';
import { measure, warmUp } from './load/measure.mjs';
import { readOptions } from './options.mjs';
import { PATH } from './peers/index.mjs';
import { GATEHOUSE_MAIN, PRODUCTION_FLAGS, ROOT, findTools } from './prerequisites.mjs';
import { median } from './report/statistics.mjs';
import { freePort } from './stage/free-port.mjs';
import { openStage, removeFolders } from './stage/index.mjs';
import { FIRST_NUMBER, apiKey, seed } from './stage/tenants.mjs';

const HELP = `Usage: node bench/tracing.mjs [--rounds 5] [--seconds 4]

CPU of the gateway per request with tracing off, on for none, for one in a hundred and for all of the requests, on the whole path
(key, route, cached token, limit in Redis, upstream). The gateways take turns in one run; spans go to a collector on the core of the load.
`;
const values = readValues(HELP, {
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '4' },
});

let received = 0;
const collector = createServer((request, response) => {
  request.on('data', (/** @type {Buffer} */ chunk) => (received += chunk.length));
  request.on('end', () => response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}'));
}).listen(0, '127.0.0.1');
await once(collector, 'listening');
const { port: collectorPort } = /** @type {import('node:net').AddressInfo} */ (collector.address());

const on = (/** @type {string} */ ratio) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collectorPort}`,
  OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
  OTEL_TRACES_SAMPLER_ARG: ratio,
});
const VARIANTS = { off: {}, 'on, none recorded': on('0'), 'on, 1 %': on('0.01'), 'on, 100 %': on('1') };

const stage = await openStage({ ...readOptions([]), seconds: Number(values.seconds) }, findTools());
/** @type {Array<import('./load/measure.mjs').Target & { stop: () => Promise<void> }>} */
const gateways = [];
try {
  for (const [title, env] of Object.entries(VARIANTS)) gateways.push(await startGateway(title, env));
  for (const gateway of gateways) await warmUp(stage, gateway);
  /** @type {Record<string, number[]>} */
  const found = Object.fromEntries(gateways.map(({ title }) => [title, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    // Each has each place in turn: what one leaves behind in caches and queues falls on whoever comes next.
    const first = round % gateways.length;
    for (const gateway of [...gateways.slice(first), ...gateways.slice(0, first)])
      found[gateway.title]?.push((await measure(stage, gateway)).cpuUsPerRequest);
  }
  report(found);
} finally {
  for (const { stop } of gateways) await stop();
  collector.close();
  collector.closeAllConnections();
  await stopAll();
  removeFolders();
}
process.exit(stage.problems.length === 0 ? 0 : 1);

/**
 * @param {string} title
 * @param {Record<string, string>} env
 */
async function startGateway(title, env) {
  const name = `tracing-${gateways.length}`;
  const redis = await stage.redis(name);
  await seed(redis.url, 'tenants', 1, { upstream: stage.upstream.origin, idp: stage.issuer.idp });
  const home = join(stage.dir, name);
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  const child = startChild({
    name,
    core: stage.options.core,
    command: process.execPath,
    args: [...PRODUCTION_FLAGS, GATEHOUSE_MAIN],
    cwd: ROOT,
    env: {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_TOKEN: 'a-token-that-nobody-needs-here',
      DATA_DIR: join(home, 'data'),
      ALLOW_PRIVATE_UPSTREAMS: 'true',
      REDIS_URL: redis.url,
      ...env,
    },
    log: join(home, 'log'),
  });
  const origin = `http://127.0.0.1:${port}`;
  await waitUntilReady(child, async () => (await fetch(`${origin}/readyz`)).status === 200);
  const headers = { 'X-API-Key': apiKey(FIRST_NUMBER), Authorization: `Bearer ${stage.issuer.token}` };
  const stop = async () => {
    await child.stop();
    await redis.stop();
  };
  return { title, pid: child.pid, origin, request: { path: PATH, headers }, stop };
}

/** @param {Record<string, number[]>} found */
function report(found) {
  const [base = []] = Object.values(found);
  console.log(
    '| tracing | CPU µs/request, median | ratio to off, median of rounds | each round |\n| --- | ---: | ---: | --- |',
  );
  for (const [title, rounds] of Object.entries(found)) {
    const ratio = median(rounds.map((micros, i) => micros / /** @type {number} */ (base[i])));
    console.log(
      `| ${title} | ${median(rounds).toFixed(1)} | ${ratio.toFixed(3)} | ${rounds.map((micros) => micros.toFixed(1)).join(', ')} |`,
    );
  }
  console.log(`\nThe collector got ${(received / 1e6).toFixed(1)} MB of spans.`);
}
