import type { GatewayConfig } from '#libs/config';
import type { Logger } from '#libs/logging';
import { EmbeddedStore } from './embedded/embedded-store';
import { RedisStore } from './redis/redis-store';
import type { Store } from './store';

/**
 * The store that the settings ask for, not yet reached; await `ready()`.
 * @throws StoreUnusableError
 */
export function openStore(config: Pick<GatewayConfig, 'redis' | 'dataDir'>, logger: Logger): Store {
  return config.redis ? new RedisStore(config.redis, logger) : new EmbeddedStore(config.dataDir, logger);
}
