import { Cluster } from 'ioredis';
import type { RedisConfig } from '#libs/config';
import type { Logger } from '#libs/logging';
import type { Counters, Documents, Limits, Store, StoreState } from '../store';
import { connectCommands, redial } from './connect';
import { RedisLimits } from './redis-limits';
import { RedisDocuments } from './redis-documents';
import { RedisFeed } from './redis-feed';
import { RedisFences } from './redis-fences';
import { RedisFleet } from './redis-fleet';
import { RedisHealth } from './redis-health';
import { RedisLedgers } from './redis-ledgers';
import { withScripts, type RedisClient } from './scripts';
import { SentinelWatch } from './sentinel-watch';

/** The shared store: standalone Redis, Sentinel or Cluster. */
export class RedisStore implements Store {
  readonly kind = 'redis';
  readonly documents: Documents;
  readonly limits: Limits;
  readonly counters: Counters;
  readonly ledgers: RedisLedgers;
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
    this.limits = new RedisLimits(this.client, this.health);
    this.counters = redisCounters(this.client, this.health);
    this.ledgers = new RedisLedgers(this.client, this.health);
    this.fleet = new RedisFleet(this.client, this.health);
    const fences = new RedisFences(this.client, this.health, this.fleet);
    this.changes = new RedisFeed(config, this.client, fences, logger);
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
