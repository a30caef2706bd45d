/**
 * What the simulation takes from the product; each number is named there as it is here. `test/simulation.spec.ts` looks whether the
 * ones that are constants still stand in the code.
 */
export const PRODUCT = {
  /** libs/tenants/src/tenant-directory.ts: keys, and as many tenants, that a process keeps. */
  MAX_ENTRIES: 262_144,
  /** libs/usage/src/usage-meter.ts: between two publications of usage … */
  INTERVAL_MS: 1000,
  /** … and by how much longer, for each series. */
  SERIES_INTERVAL_MS: 1,
  /** libs/store/src/redis/redis-health.ts, a `PING` while nothing else is asked. */
  PROBE_INTERVAL_MS: 250,
  /** libs/store/src/redis/invalidation-link.ts, a `PING` on the link by which changes come. */
  HEARTBEAT_INTERVAL_MS: 1000,
  /** libs/store/src/redis/redis-fleet.ts, a script. */
  FLEET_INTERVAL_MS: 2000,
  /** libs/guards/src/leases.ts: how long a lease is meant to last, and how often unused ones are looked for. */
  HOLD_MS: 100,
  SWEEP_MS: 250,
};

/** Bytes, measured by validate.mjs on a small case (Redis 7, documents as in the README). */
export const BYTES = {
  /** In Redis: a key and what it opens. */
  redisPerKey: 152,
  /** In Redis: a tenant's document. */
  redisPerTenant: 248,
  /** In Redis: the bucket of a tenant while it is not full. */
  redisPerBucket: 104,
  /** In Redis: the marker by which a tenant's ledger knows a process, for 40 days after its last batch. */
  redisPerMarker: 104,
  /** In a process: a key that it serves, with what it is compiled to. */
  processPerKey: 1500,
  /** In a process that serves nobody yet. */
  processBase: 130_000_000,
  /** On the wire: one change as a replica hears of it. */
  change: 100,
};
