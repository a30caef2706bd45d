import { Cluster } from 'ioredis';
import type { RedisConfig } from '#libs/config';
import type { Logger } from '#libs/logging';
import type { Buckets, Counters, Documents, Store, StoreState } from '../store';
import { connectCommands, redial } from './connect';
import { RedisBuckets } from './redis-buckets';
import { RedisDocuments } from './redis-documents';
import { RedisFeed } from './redis-feed';
import { RedisFleet } from './redis-fleet';
import { RedisHealth } from './redis-health';
import { withScripts, type RedisClient } from './scripts';
import { SentinelWatch } from './sentinel-watch';

/** The shared store: standalone Redis, Sentinel or Cluster. */
export class RedisStore implements Store {
  readonly kind = 'redis';
  readonly documents: Documents;
  readonly buckets: Buckets;
  readonly counters: Counters;
  readonly changes: RedisFeed;
  readonly fleet: RedisFleet;
  private readonly client: RedisClient;
  private readonly health: RedisHealth;
  private readonly sentinels?: SentinelWatch;

  constructor(config: RedisConfig, logger: Logger) {
    const endpoint = config.nodes.map((node) => `${node.host}:${node.port}`).join(',');
    this.client = withScripts(connectCommands(config));
    this.health = new RedisHealth(this.client, logger, endpoint, config.commandTimeoutMs);
    this.documents = new RedisDocuments(this.client, this.health);
    this.buckets = new RedisBuckets(this.client, this.health);
    this.counters = redisCounters(this.client, this.health);
    this.changes = new RedisFeed(config, this.client, logger);
    this.fleet = new RedisFleet(this.client, this.health);
    if (config.topology === 'sentinel') this.sentinels = new SentinelWatch(config, () => this.reconnect());
  }

  get state(): StoreState {
    return this.health.state;
  }

  ready(): Promise<void> {
    return this.health.ready();
  }

  async close(): Promise<void> {
    await this.fleet.leave();
    this.sentinels?.close();
    this.health.close();
    this.changes.close();
    this.client.disconnect();
  }

  private reconnect(): void {
    redial(this.client);
    this.changes.reconnect();
  }
}

/** Counters as hashes of integers. */
function redisCounters(client: RedisClient, health: RedisHealth): Counters {
  return {
    async add(key, amounts) {
      const increments = Object.entries(amounts);
      // One key, one slot, one tick: auto-pipelining sends them together.
      await health.run(() => Promise.all(increments.map(([field, by]) => client.hincrby(key, field, by))));
    },
    async addToMany(field, amounts) {
      if (!(client instanceof Cluster)) {
        return health.run(() =>
          client.gatehouseAdd(amounts.size, ...amounts.keys(), field, ...amounts.values()),
        );
      }
      // In a cluster a script may only touch keys of one slot, and one node may be away while the others are not.
      const failed: string[] = [];
      const add = ([key, by]: [string, number]): Promise<unknown> =>
        health.run(() => client.hincrby(key, field, by)).catch(() => failed.push(key));
      await Promise.all([...amounts].map(add));
      return failed;
    },
    async read(key) {
      const fields = await health.run(() => client.hgetall(key));
      return Object.fromEntries(Object.entries(fields).map(([field, amount]) => [field, Number(amount)]));
    },
    async drop(key) {
      await health.run(() => client.del(key));
    },
  };
}
