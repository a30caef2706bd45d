import type { RedisConfig } from '#libs/config';
import type { Logger } from '#libs/logging';
import type { Documents, Limits, Store, StoreState } from '../store';
import { connectCommands, redial } from './connect';
import { warnOfEviction } from './eviction';
import { RedisLimits } from './redis-limits';
import { RedisBreakers } from './redis-breakers';
import { RedisDocuments } from './redis-documents';
import { RedisFeed } from './redis-feed';
import { RedisFences } from './redis-fences';
import { RedisFleet } from './redis-fleet';
import { RedisHealth } from './redis-health';
import { RedisLedgers } from './redis-ledgers';
import { RedisNonces } from './redis-nonces';
import { RedisNotes } from './redis-notes';
import { RedisRecents } from './redis-recents';
import { RedisResponses } from './redis-responses';
import { withScripts, type RedisClient } from './scripts';
import { SentinelWatch } from './sentinel-watch';

/** The shared store: standalone Redis, Sentinel or Cluster. */
export class RedisStore implements Store {
  readonly kind = 'redis';
  readonly documents: Documents;
  readonly limits: Limits;
  readonly ledgers: RedisLedgers;
  readonly breakers: RedisBreakers;
  readonly nonces: RedisNonces;
  readonly notes: RedisNotes;
  readonly recents: RedisRecents;
  readonly changes: RedisFeed;
  readonly fleet: RedisFleet;
  readonly responses: RedisResponses;
  private readonly client: RedisClient;
  private readonly health: RedisHealth;
  private readonly sentinels?: SentinelWatch;

  constructor(config: RedisConfig, logger: Logger) {
    const endpoint = config.nodes.map((node) => `${node.host}:${node.port}`).join(',');
    this.client = withScripts(connectCommands(config));
    warnOfEviction(this.client, logger);
    this.health = new RedisHealth(this.client, logger, endpoint, config.commandTimeoutMs);
    this.documents = new RedisDocuments(this.client, this.health);
    this.limits = new RedisLimits(this.client, this.health);
    this.ledgers = new RedisLedgers(this.client, this.health);
    this.breakers = new RedisBreakers(this.client, this.health);
    this.nonces = new RedisNonces(this.client, this.health);
    this.notes = new RedisNotes(this.client, this.health);
    this.recents = new RedisRecents(this.client, this.health);
    this.responses = new RedisResponses(this.client, this.health);
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
