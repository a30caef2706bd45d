import { simulate } from './simulate.mjs';

/**
 * From a few replicas to a thousand, and from ten thousand keys to ten million: a hundred keys to a tenant, 500 requests a second to a replica,
 * 50 changes a second, after five minutes of traffic.
 */
const WORLDS = [
  { replicas: 4, keys: 10_000 },
  { replicas: 20, keys: 100_000 },
  { replicas: 100, keys: 1_000_000 },
  { replicas: 1000, keys: 10_000_000 },
  { replicas: 1000, keys: 10_000_000, replicasPerTenant: 3 },
];
const count = (/** @type {number} */ value) => Math.round(value).toLocaleString('en');
const mega = (/** @type {number} */ bytes) => `${count(bytes / 1e6)} MB`;
const line = (/** @type {string[]} */ cells) => console.log(`| ${cells.join(' | ')} |`);

line(['replicas', 'keys', 'limits/s: exact', 'leased', 'reads/s', 'publications/s', 'beats/s', 'changes heard/s', 'Redis: configuration', 'markers', 'a process']); // prettier-ignore
line(Array.from({ length: 11 }, () => '---:'));
for (const world of WORLDS) {
  const { replicas, keys, replicasPerTenant } = world;
  const common = {
    ...world,
    tenants: keys / 100,
    requestsPerSecond: replicas * 500,
    changesPerSecond: 50,
    warmSeconds: 300,
    sampled: 4,
  };
  const exact = simulate({ ...common, mode: 'exact' });
  const leased = simulate({ ...common, mode: 'leased' });
  const { configuration, markers } = exact.redisBytes;
  line([
    count(replicas) + (replicasPerTenant === undefined ? '' : `, ${replicasPerTenant} to a tenant`),
    count(keys),
    count(exact.limits),
    count(leased.limits),
    count(exact.reads),
    count(exact.publications),
    count(exact.background),
    `${count(exact.changes)} (${(exact.changeBytesPerSecond / 1e6).toFixed(1)} MB/s)`,
    mega(configuration),
    mega(markers),
    mega(exact.processBytes),
  ]);
}
