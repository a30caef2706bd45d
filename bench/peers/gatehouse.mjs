import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';

import { startChild, waitUntilReady } from '../children.mjs';
import {
  DATA_PLANE_MAIN,
  GATEHOUSE_MAIN,
  PRODUCTION_FLAGS,
  ROOT,
  productVersion,
} from '../prerequisites.mjs';
import { freePort } from '../stage/free-port.mjs';
import { FIRST_NUMBER, apiKey, seed } from '../stage/tenants.mjs';

/**
 * Everything a tenant can be judged by: API key, route, JWT, bucket in Redis, metrics, access log. By the data plane's own
 * process, as it is deployed where load matters; both planes in one process need some 20 MB more.
 */
export const gatehouseFull = {
  id: 'gatehouse-full',
  title: 'Gatehouse, full path',
  needs: /** @type {const} */ (['redis-server']),
  start: startFull,
};

/** The least that Gatehouse can do: a key and a route, the embedded store, no JWT, no log. */
export const gatehouseBare = {
  id: 'gatehouse-bare',
  title: 'Gatehouse, bare',
  needs: /** @type {const} */ ([]),
  start: startBare,
};

/**
 * @param {import('../stage/index.mjs').Stage} stage
 * @returns {Promise<import('./index.mjs').RunningPeer>}
 */
async function startFull(stage) {
  const running = await startSeeded(stage, { name: gatehouseFull.id, what: 'tenants', count: 1 });
  return {
    ...running,
    id: gatehouseFull.id,
    title: gatehouseFull.title,
    headers: credentials(stage, FIRST_NUMBER),
  };
}

/**
 * What a request of the full path carries.
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {number | string} keyNumber
 */
export function credentials({ issuer }, keyNumber) {
  return { 'X-API-Key': apiKey(keyNumber), Authorization: `Bearer ${issuer.token}` };
}

/**
 * Gatehouse on a Redis of its own that holds as many tenants, keys or routes as asked for.
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {{ name: string, what: 'tenants' | 'keys' | 'routes', count: number }} size
 */
export async function startSeeded(stage, { name, what, count }) {
  const redis = await stage.redis(name);
  await seed(redis.url, what, count, { upstream: stage.upstream.origin, idp: stage.issuer.idp });
  const env = { REDIS_URL: redis.url, LOG_LEVEL: 'info' };
  const running = await startGatehouse(stage, name, DATA_PLANE_MAIN, env);
  return { ...running, stop: async () => void (await Promise.all([running.stop(), redis.stop()])) };
}

/**
 * @param {import('../stage/index.mjs').Stage} stage
 * @returns {Promise<import('./index.mjs').RunningPeer>}
 */
async function startBare(stage) {
  const running = await startGatehouse(stage, gatehouseBare.id, GATEHOUSE_MAIN, { LOG_LEVEL: 'silent' });
  const admin = async (/** @type {string} */ path, /** @type {object} */ body) => {
    const response = await fetch(`${running.origin}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-admin-token': running.adminToken },
      body: JSON.stringify(body),
    });
    if (!response.ok)
      throw new Error(`POST ${path} was answered ${response.status}: ${await response.text()}`);
    return /** @type {Promise<Record<string, string>>} */ (response.json());
  };
  await admin('/admin/tenants', {
    id: 'bench',
    name: 'Bench',
    upstreamBaseUrl: stage.upstream.origin,
    allowedRoutes: [{ path: '/v1' }],
    rateLimit: { windowSeconds: 60, maxRequests: 100_000_000 },
  });
  const { key } = await admin('/admin/tenants/bench/api-keys', { name: 'bench' });
  if (key === undefined) throw new Error('the answer to POST /admin/tenants/bench/api-keys has no key');
  return { ...running, id: gatehouseBare.id, title: gatehouseBare.title, headers: { 'X-API-Key': key } };
}

/**
 * @param {import('../stage/index.mjs').Stage} stage
 * @param {string} name
 * @param {string} main
 * @param {Record<string, string>} env
 */
async function startGatehouse({ dir, options }, name, main, env) {
  // Of its own for every start: what an earlier suite has stored would be found.
  const home = mkdtempSync(join(dir, `${name}-`));
  const port = await freePort();
  const adminToken = randomBytes(24).toString('hex');
  const child = startChild({
    name,
    core: options.core,
    command: process.execPath,
    args: [...PRODUCTION_FLAGS, main],
    cwd: ROOT,
    env: {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_TOKEN: adminToken,
      DATA_DIR: join(home, 'data'),
      // Upstream and identity provider are on loopback here.
      ALLOW_PRIVATE_UPSTREAMS: 'true',
      ...env,
    },
    log: join(home, 'log'),
  });
  const origin = `http://127.0.0.1:${port}`;
  await waitUntilReady(child, async () => (await fetch(`${origin}/readyz`)).status === 200);
  return { version: productVersion(), pid: child.pid, origin, adminToken, stop: child.stop };
}
