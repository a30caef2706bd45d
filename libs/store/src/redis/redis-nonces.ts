import type { Cluster, Redis } from 'ioredis';
import type { Nonces } from '../store';
import type { RedisHealth } from './redis-health';

/** Nonces as keys that expire: one SET NX a request. */
export class RedisNonces implements Nonces {
  readonly since = 0;

  constructor(
    private readonly client: Redis | Cluster,
    private readonly health: RedisHealth,
  ) {}

  async spend(key: string, ms: number): Promise<boolean> {
    const ttl = Math.max(1, Math.ceil(ms));
    return (await this.health.run(() => this.client.set(key, '1', 'PX', ttl, 'NX'))) === 'OK';
  }
}
