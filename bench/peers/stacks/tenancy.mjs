import { createHash } from 'node:crypto';

import { createRemoteJWKSet, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';

/**
 * What no plugin does for either stack: find the tenant of a key, match its routes, check its tokens. Both stacks share it and it
 * caches what Gatehouse caches, so that what is compared is the frameworks and their plugins, not the diligence of this file.
 */

/**
 * @typedef {object} Tenant
 * @property {string} id
 * @property {{ path: string, auth?: { jwt?: boolean } }[]} allowedRoutes
 * @property {{ windowSeconds: number, maxRequests: number }} rateLimit
 * @property {{ issuer: string, jwksUri: string, audience: string }} idp
 */

/** A refusal with the status it is to be answered with. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
    this.statusCode = status;
  }
}

/** @type {LRUCache<string, Tenant>} */
const tenants = new LRUCache({ max: 10_000, ttl: 5_000 });
/** @type {LRUCache<string, import('jose').JWTPayload>} */
const verified = new LRUCache({ max: 10_000 });
/** @type {Map<string, ReturnType<typeof createRemoteJWKSet>>} */
const keySets = new Map();

/**
 * @param {import('ioredis').Redis} redis
 * @param {unknown} apiKey
 * @returns {Promise<Tenant>}
 */
export async function tenantOf(redis, apiKey) {
  if (typeof apiKey !== 'string') throw new Refusal(401, 'X-API-Key is missing');
  const digest = createHash('sha256').update(apiKey).digest('hex');
  const known = tenants.get(digest);
  if (known !== undefined) return known;

  const id = await redis.get(`tenant:byApiKey:${digest}`);
  const json = id === null ? null : await redis.get(`tenant:${id}`);
  if (json === null) throw new Refusal(401, 'X-API-Key is unknown');
  const tenant = /** @type {Tenant} */ (JSON.parse(json));
  tenants.set(digest, tenant);
  return tenant;
}

/**
 * @param {Tenant} tenant
 * @param {string} url  of the request, behind `/api`
 */
export function routeOf(tenant, url) {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  const route = tenant.allowedRoutes.find(
    (allowed) => path === allowed.path || path.startsWith(`${allowed.path}/`),
  );
  if (route === undefined) throw new Refusal(403, 'This route is not allowed');
  return route;
}

/**
 * @param {Tenant} tenant
 * @param {string | undefined} authorization
 */
export async function principalOf({ idp }, authorization) {
  if (authorization === undefined || !authorization.startsWith('Bearer '))
    throw new Refusal(401, 'A bearer token is missing');
  const token = authorization.slice('Bearer '.length);
  const cacheKey = `${idp.issuer} ${idp.audience} ${token}`;
  const known = verified.get(cacheKey);
  if (known !== undefined) return known;

  let keySet = keySets.get(idp.jwksUri);
  if (keySet === undefined) keySets.set(idp.jwksUri, (keySet = createRemoteJWKSet(new URL(idp.jwksUri))));
  const { payload } = await jwtVerify(token, keySet, {
    issuer: idp.issuer,
    audience: idp.audience,
    algorithms: ['RS256'],
  }).catch(() => {
    throw new Refusal(401, 'The bearer token is not valid');
  });
  verified.set(cacheKey, payload, { ttl: Math.max(1, (payload.exp ?? 0) * 1000 - Date.now()) });
  return payload;
}
