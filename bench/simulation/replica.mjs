import { PRODUCT } from './product.mjs';

/** What one replica asks of Redis because of the requests that it gets. */
export class Replica {
  /** Keys that it knows; of those it has known for longest without use it lets go. @type {Set<number>} */
  known = new Set();
  /** Tenants that it knows. @type {Set<number>} */
  knownTenants = new Set();
  /** Tenants whose ledgers know this process. @type {Set<number>} */
  marked = new Set();
  /** Series that have gathered since the last publication, and their tenants. */
  series = new Set();
  gathered = new Set();
  gatheredMs = 0;
  /** Requests of each tenant in this second. @type {Map<number, number>} */
  demand = new Map();

  /** @param {import('./simulate.mjs').World} world */
  constructor(world) {
    this.world = world;
    this.counted = { limits: 0, leases: 0, reads: 0, publications: 0 };
  }

  /** @param {number} key */
  request(key) {
    const tenant = key % this.world.tenants;
    this.counted.reads += touch(this.known, key) + touch(this.knownTenants, tenant);
    this.demand.set(tenant, (this.demand.get(tenant) ?? 0) + 1);
    // Requests that are under way at the same moment may share the call; at these rates they hardly do.
    this.counted.limits += 1;
    this.series.add(key);
    this.gathered.add(tenant);
    this.marked.add(tenant);
  }

  /** Somebody has changed a key: it is read again with its next request. @param {number} key */
  changed(key) {
    this.known.delete(key);
  }

  /** A second is over. */
  pass() {
    for (const requests of this.demand.values()) this.counted.leases += leaseCalls(requests);
    this.demand.clear();
    this.gatheredMs += 1000;
    const due = Math.max(PRODUCT.INTERVAL_MS, this.series.size * PRODUCT.SERIES_INTERVAL_MS);
    if (this.gatheredMs < due) return;
    this.counted.publications += this.gathered.size;
    this.series.clear();
    this.gathered.clear();
    this.gatheredMs = 0;
  }
}

/**
 * Calls of a second for the leases of one bucket: as many as there are holds in it, or requests if they are fewer; and what a request
 * that came alone has used is reported by the sweep, which puts several buckets into one call.
 * @param {number} requests in this second
 */
function leaseCalls(requests) {
  const holds = 1000 / PRODUCT.HOLD_MS;
  return Math.min(requests, holds);
}

/**
 * @param {Set<number>} cache
 * @param {number} entry
 * @returns {0 | 1} reads that it takes
 */
function touch(cache, entry) {
  // The order of a set is that in which its entries came: used again, they are the youngest.
  const there = cache.delete(entry);
  cache.add(entry);
  if (cache.size > PRODUCT.MAX_ENTRIES) cache.delete(/** @type {number} */ (cache.values().next().value));
  return there ? 0 : 1;
}
