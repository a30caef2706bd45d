import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import http, { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { startChild, stopAll, waitUntilReady } from '../children.mjs';
import { PRODUCTION_FLAGS, ROOT, findTools } from '../prerequisites.mjs';
import { rssBytes } from '../process-usage.mjs';
import { freePort } from '../stage/free-port.mjs';
import { startRedis } from '../stage/redis.mjs';
import { countOf, popularKey, randomFrom } from './traffic.mjs';

const hash = (/** @type {string} */ text) => createHash('sha256').update(text).digest('hex');
const apiKey = (/** @type {number} */ n) => `simulated-key-${n}`;
const mapping = (/** @type {number} */ n) => `tenant:byApiKey:${hash(apiKey(n))}`;

/** Real processes of the data plane on one Redis, asked as the simulated ones are. */
export class SmallCase {
  /** @param {import('./simulate.mjs').World} world */
  constructor(world) {
    this.world = world;
    this.dir = mkdtempSync(join(tmpdir(), 'gatehouse-simulation-'));
    this.random = randomFrom(world.seed ?? 1);
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
    /** @type {Array<{ port: number, pid: number }>} */
    this.replicas = [];
    this.failures = 0;
  }

  async start() {
    const redisServer = findTools()['redis-server']?.path;
    if (redisServer === undefined) throw new Error('redis-server is missing');
    const { url } = await startRedis({ dir: this.dir, core: 0, redisServer, name: 'simulation' });
    this.url = url;
    this.redis = new Redis(url);
    this.upstream = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
    await once(this.upstream, 'listening');
    await this.seed();
    for (let n = 0; n < this.world.replicas; n++) this.replicas.push(await this.replica(n));
  }

  async seed() {
    const { keys, tenants } = this.world;
    const { port } = /** @type {import('node:net').AddressInfo} */ (
      /** @type {import('node:http').Server} */ (this.upstream).address()
    );
    const pipeline = /** @type {Redis} */ (this.redis).pipeline();
    for (let n = 0; n < tenants; n++) {
      const tenant = {
        id: `t${n}`,
        name: `Tenant ${n}`,
        upstreamBaseUrl: `http://127.0.0.1:${port}`,
        allowedRoutes: [{ path: '/v1' }],
        rateLimit: { windowSeconds: 60, maxRequests: 1_000_000 },
      };
      pipeline.set(`tenant:t${n}`, JSON.stringify(tenant));
    }
    for (let n = 0; n < keys; n++) pipeline.set(mapping(n), `t${n % tenants}`);
    await pipeline.exec();
  }

  /** @param {number} n */
  async replica(n) {
    const home = join(this.dir, `replica-${n}`);
    mkdirSync(home);
    const port = await freePort();
    const child = startChild({
      name: `replica ${n}`,
      core: n % 2,
      command: process.execPath,
      args: [...PRODUCTION_FLAGS, join(ROOT, 'dist/apps/data-plane/src/main.js')],
      cwd: home,
      env: {
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: String(port),
        ADMIN_TOKEN: 'a-token-that-nobody-needs-here',
        ALLOW_PRIVATE_UPSTREAMS: 'true',
        DATA_DIR: join(home, 'data'),
        REDIS_URL: /** @type {string} */ (this.url),
        RATE_LIMIT_MODE: this.world.mode,
        LOG_LEVEL: 'warn',
      },
      log: join(home, 'log'),
    });
    await waitUntilReady(child, async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok);
    return { port, pid: child.pid };
  }

  /** Requests and changes for so many seconds, at the pace of the world. @param {number} seconds */
  async play(seconds) {
    const { replicas, requestsPerSecond, changesPerSecond, keys } = this.world;
    const begun = performance.now();
    // In tenths: what comes within a second does not come at once.
    for (let tenth = 0; tenth < seconds * 10; tenth++) {
      const under = [];
      for (const replica of this.replicas) {
        const requests = countOf(requestsPerSecond / replicas / 10, this.random);
        for (let n = 0; n < requests; n++) {
          const key = popularKey(keys, this.random);
          // Together they would share calls that they do not share in life.
          under.push(delay(this.random() * 90).then(() => this.ask(replica.port, key)));
        }
      }
      const changes = countOf(changesPerSecond / 10, this.random);
      for (let n = 0; n < changes; n++) under.push(this.change(Math.floor(this.random() * keys)));
      await Promise.all(under);
      await delay(Math.max(0, begun + (tenth + 1) * 100 - performance.now()));
    }
    return (performance.now() - begun) / 1000;
  }

  /** @param {number} key */
  change(key) {
    return /** @type {Redis} */ (this.redis).set(mapping(key), `t${key % this.world.tenants}`);
  }

  /** @param {number} port @param {number} key @returns {Promise<void>} */
  ask(port, key) {
    return new Promise((resolve) => {
      const headers = { 'X-API-Key': apiKey(key) };
      http
        .get({ host: '127.0.0.1', port, path: '/api/v1/x', agent: this.agent, headers }, (response) => {
          if (response.statusCode !== 200) this.failures += 1;
          response.resume().on('end', resolve);
        })
        .on('error', () => ((this.failures += 1), resolve()));
    });
  }

  /** What a process takes for each further key that it has to know, in bytes; some of it is garbage. @param {number} keys */
  async bytesPerKey(keys) {
    const { port, pid } = /** @type {{ port: number, pid: number }} */ (this.replicas[0]);
    const first = this.world.keys;
    const pipeline = /** @type {Redis} */ (this.redis).pipeline();
    for (let n = first; n < first + keys; n++) pipeline.set(mapping(n), `t${n % this.world.tenants}`);
    await pipeline.exec();
    const before = rssBytes(pid);
    for (let from = first; from < first + keys; from += 32) {
      const some = Array.from({ length: Math.min(32, first + keys - from) }, (_, n) =>
        this.ask(port, from + n),
      );
      await Promise.all(some);
    }
    return { bytes: (rssBytes(pid) - before) / keys, base: before };
  }

  async stop() {
    this.redis?.disconnect();
    this.agent.destroy();
    this.upstream?.close();
    this.upstream?.closeAllConnections();
    await stopAll();
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 3 });
  }
}
