import type { Redis } from 'ioredis';
import type { RedisConfig } from '#libs/config';
import { connectSentinel, redial } from './connect';

/** Published by a sentinel when another server has become the master: name, old host and port, new host and port. */
const SWITCH_MASTER = '+switch-master';

/**
 * Hears from the sentinels when the master changes. A master that was replaced while it lived goes on answering for
 * some ten seconds; until then writes to it are lost, and changes made on its successor are not heard of.
 */
export class SentinelWatch {
  private readonly sentinels: readonly Redis[];

  constructor(config: RedisConfig, onSwitch: () => void) {
    this.sentinels = config.nodes.map((node) => {
      const sentinel = connectSentinel(config, node);
      // One that is away is missed by nobody, as long as another one speaks.
      sentinel.on('error', () => undefined);
      sentinel.on('ready', () => void sentinel.subscribe(SWITCH_MASTER).catch(() => redial(sentinel)));
      sentinel.on('message', (_channel: string, message: string) => {
        if (message.split(' ')[0] === config.sentinelMaster) onSwitch();
      });
      return sentinel;
    });
  }

  close(): void {
    for (const sentinel of this.sentinels) sentinel.disconnect();
  }
}
