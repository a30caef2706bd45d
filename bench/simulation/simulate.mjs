import { BYTES, PRODUCT } from './product.mjs';
import { Replica } from './replica.mjs';
import { countOf, popularKey, randomFrom } from './traffic.mjs';

/**
 * @typedef {object} World
 * @property {number} replicas     processes of the data plane
 * @property {number} keys
 * @property {number} tenants
 * @property {number} requestsPerSecond  of all replicas together
 * @property {number} changesPerSecond   of configuration: keys made, revoked, limits changed …
 * @property {'exact' | 'leased'} mode   RATE_LIMIT_MODE
 * @property {number} [replicasPerTenant]  to which a load balancer sends the requests of one tenant; absent: to any
 * @property {number} [warmSeconds]      that are not counted
 * @property {number} [seconds]          that are
 * @property {number} [seed]
 * @property {number} [sampled]          replicas that are simulated one by one; the others are like them
 */

/**
 * Second by second: which replica gets which requests, what it knows, and what it asks of Redis. Replicas do not depend on each other but by
 * Redis, so some of them stand for all.
 * @param {World} world
 */
export function simulate(world) {
  const { replicas, warmSeconds = 30, seconds = 20, seed = 1, sampled = Math.min(replicas, 8) } = world;
  const random = randomFrom(seed);
  const fleet = Array.from({ length: sampled }, () => new Replica(world));
  for (let second = 0; second < warmSeconds; second++) passSecond(fleet, world, random);
  for (const replica of fleet) replica.counted = { limits: 0, leases: 0, reads: 0, publications: 0 };
  for (let second = 0; second < seconds; second++) passSecond(fleet, world, random);

  const perSecond = (/** @type {keyof Replica['counted']} */ name) =>
    (fleet.reduce((sum, { counted }) => sum + counted[name], 0) / seconds / sampled) * replicas;
  return figures(world, fleet, {
    limits: world.mode === 'exact' ? perSecond('limits') : perSecond('leases'),
    reads: perSecond('reads'),
    publications: perSecond('publications'),
    background: replicas * background(world.requestsPerSecond > 0),
    changes: world.changesPerSecond * replicas,
  });
}

/**
 * @param {Replica[]} fleet
 * @param {World} world
 * @param {() => number} random
 */
function passSecond(fleet, world, random) {
  const { replicas, requestsPerSecond, changesPerSecond, keys, replicasPerTenant = replicas } = world;
  // Of those that may come to one replica; which ones they are makes no difference.
  const own = Math.ceil((keys * replicasPerTenant) / replicas);
  const changes = countOf(changesPerSecond, random);
  for (let n = 0; n < changes; n++) {
    // Not only popular ones are changed.
    const key = Math.floor(random() * keys);
    for (const replica of fleet) replica.changed(key);
  }
  for (const replica of fleet) {
    const requests = countOf(requestsPerSecond / replicas, random);
    for (let n = 0; n < requests; n++) replica.request(popularKey(own, random));
    replica.pass();
  }
}

/** Commands per second of a replica that are not for requests; answers to those show as well that Redis is there. @param {boolean} busy */
export function background(busy) {
  const { PROBE_INTERVAL_MS, HEARTBEAT_INTERVAL_MS, FLEET_INTERVAL_MS } = PRODUCT;
  const probes = busy ? 0 : 1000 / PROBE_INTERVAL_MS;
  return probes + 1000 / HEARTBEAT_INTERVAL_MS + 1000 / FLEET_INTERVAL_MS;
}

/**
 * @param {World} world
 * @param {Replica[]} fleet
 * @param {{ limits: number, reads: number, publications: number, background: number, changes: number }} rates
 */
function figures(world, fleet, rates) {
  const { replicas, keys, tenants } = world;
  const mean = (/** @type {(replica: Replica) => number} */ of) =>
    fleet.reduce((sum, replica) => sum + of(replica), 0) / fleet.length;
  const markers = mean(({ marked }) => marked.size) * replicas;
  const busy = Math.min(
    tenants,
    mean(({ marked }) => marked.size) * Math.max(1, Math.log2(replicas + 1) / 2),
  );
  return {
    ...rates,
    commands: rates.limits + rates.reads + rates.publications + rates.background,
    changeBytesPerSecond: rates.changes * BYTES.change,
    redisBytes: {
      configuration: keys * BYTES.redisPerKey + tenants * BYTES.redisPerTenant,
      limits: busy * BYTES.redisPerBucket,
      markers: markers * BYTES.redisPerMarker,
    },
    markers,
    processBytes: BYTES.processBase + mean(({ known }) => known.size) * BYTES.processPerKey,
    knownKeys: mean(({ known }) => known.size),
  };
}
