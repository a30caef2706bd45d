import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

import { killAll, startChild, stopAll, waitUntilReady } from '../children.mjs';
import { GATEHOUSE_MAIN, PRODUCTION_FLAGS, ROOT } from '../prerequisites.mjs';
import { freePort } from '../stage/free-port.mjs';
import { startIssuer } from '../stage/issuer.mjs';
import { startRedis } from '../stage/redis.mjs';
import { ask, hangUp } from './ask.mjs';
import { startUpstream } from './upstream.mjs';

const TENANTS = 10;
const KEYS = 3;
/** Decided for every request and never reached. */
const NO_LIMIT = { windowSeconds: 1, maxRequests: 1_000_000 };
/** Reached all the time. */
const SMALL_LIMIT = { windowSeconds: 1, maxRequests: 1 };

/**
 * A gateway as in production, with a Redis, an upstream, an identity provider, and tenants of all kinds.
 * @typedef {Awaited<ReturnType<typeof openWorld>>} World
 */
export async function openWorld() {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-soak-'));
  process.on('exit', () => {
    killAll();
    rmSync(dir, { recursive: true, force: true });
  });
  const [upstream, issuer] = [await startUpstream(), await startIssuer()];
  const redis = await startRedis({ dir, core: 0, redisServer: 'redis-server', name: 'soak' });
  const gateway = await startGateway(dir, redis.url);
  const office = officeOf(gateway, upstream.url, issuer.idp);
  return {
    ...gateway,
    ...office,
    ...(await furnish(office, upstream.url)),
    token: issuer.token,
    async close() {
      hangUp();
      await stopAll();
      upstream.close();
      issuer.close();
    },
  };
}

/**
 * What administrators do.
 * @param {{ origin: string, adminToken: string }} gateway
 * @param {string} upstreamUrl
 * @param {object} idp
 */
function officeOf(gateway, upstreamUrl, idp) {
  const admin = (/** @type {string} */ method, /** @type {string} */ path, /** @type {object} */ body) =>
    administer(gateway, method, path, body);
  const made = async (/** @type {string} */ path, /** @type {object} */ body) => {
    const { outcome, text } = await admin('POST', path, body);
    if (outcome !== '201') throw new Error(`POST ${path} was answered ${outcome}: ${text}`);
    return /** @type {Record<string, string>} */ (JSON.parse(text));
  };
  const tenant = (/** @type {string} */ id, more = {}) =>
    made('/admin/tenants', {
      id,
      name: id,
      upstreamBaseUrl: upstreamUrl,
      allowedRoutes: [
        { path: '/v1', auth: { jwt: false } },
        { path: '/users', auth: { jwt: true } },
      ],
      rateLimit: NO_LIMIT,
      idp,
      ...more,
    });
  const key = (/** @type {string} */ tenantId) =>
    made(`/admin/tenants/${tenantId}/api-keys`, { name: 'soak', rateLimit: NO_LIMIT });
  return { admin, made, tenant, key };
}

/**
 * Tenants with keys, a service and a published route each, one that is limited, and one that has tokens of ours.
 * @param {ReturnType<typeof officeOf>} office
 * @param {string} upstreamUrl
 */
async function furnish({ admin, made, tenant, key }, upstreamUrl) {
  const callers = [];
  const auth = { jwt: false };
  for (let i = 1; i <= TENANTS; i++) {
    const [id, published] = [`tenant-${i}`, `/published-${i}`];
    await tenant(id);
    const targets = [{ url: upstreamUrl }];
    const { id: service } = await made(`/admin/tenants/${id}/services`, { name: 'orders', targets, auth });
    const route = { name: 'orders', path: published, stripPrefix: true, auth: { ...auth, apiKey: false } };
    const routes = [{ ...route, backends: [{ service }] }];
    const { outcome, text } = await admin('PUT', `/admin/tenants/${id}/publication`, { routes });
    if (!outcome.startsWith('2')) throw new Error(`the publication was answered ${outcome}: ${text}`);
    for (let k = 0; k < KEYS; k++) callers.push({ id, service, published, key: (await key(id)).key ?? '' });
  }
  await tenant('limited', { rateLimit: SMALL_LIMIT });
  await tenant('project', { idp: undefined, allowedRoutes: [{ path: '/v1', auth: { jwt: true } }] });
  const limited = (await made('/admin/tenants/limited/api-keys', { name: 'soak' })).key ?? '';
  return { callers, limited, project: (await key('project')).key ?? '' };
}

/**
 * @param {string} dir
 * @param {string} redisUrl
 */
async function startGateway(dir, redisUrl) {
  const [port, adminToken] = [await freePort(), randomBytes(24).toString('hex')];
  const child = startChild({
    name: 'gateway',
    core: cpus().length - 1,
    command: process.execPath,
    args: [...PRODUCTION_FLAGS, GATEHOUSE_MAIN],
    cwd: ROOT,
    env: {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_TOKEN: adminToken,
      DATA_DIR: join(dir, 'data'),
      REDIS_URL: redisUrl,
      GATEWAY_JWT_SECRET: randomBytes(32).toString('hex'),
      ALLOW_PRIVATE_UPSTREAMS: 'true',
      // Half an hour of access log is no part of the question, and would fill somebody's disk.
      LOG_LEVEL: 'fatal',
    },
    log: join(dir, 'gateway.log'),
  });
  const origin = `http://127.0.0.1:${port}`;
  await waitUntilReady(child, async () => (await fetch(`${origin}/readyz`)).status === 200);
  return { pid: child.pid, port, origin, adminToken };
}

/**
 * @param {{ origin: string, adminToken: string }} gateway
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
export function administer({ origin, adminToken }, method, path, body) {
  const headers = { 'X-Admin-Token': adminToken, ...(body ? { 'Content-Type': 'application/json' } : {}) };
  return ask(origin + path, { method, headers, body: body && JSON.stringify(body) });
}
