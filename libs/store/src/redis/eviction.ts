import { Cluster, type Redis } from 'ioredis';
import type { Logger } from '#libs/logging';

/**
 * Warns, once, of a Redis that throws away what it has when its memory is full: tenants and keys would vanish, and limits,
 * quotas and ledgers start anew. Says nothing where the setting cannot be asked for: managed ones forbid or rename CONFIG.
 */
export function warnOfEviction(client: Redis | Cluster, logger: Pick<Logger, 'warn'>): void {
  let warned = false;
  const ask = async (node: Redis): Promise<void> => {
    const policy = await policyOf(node).catch(() => undefined);
    if (warned || policy === undefined || policy === 'noeviction') return;
    warned = true;
    logger.warn(
      { policy },
      'Redis may evict tenants, keys and counters when its memory is full: set maxmemory-policy to noeviction',
    );
  };
  const watch = (node: Redis): void => {
    // Nodes of a cluster are connected to by the first command, and refuse all others until they are: not by this one.
    if (node.status === 'ready') void ask(node);
    node.on('ready', () => void ask(node));
  };
  if (!(client instanceof Cluster)) return watch(client);
  client.on('+node', watch);
}

async function policyOf(node: Redis): Promise<string | undefined> {
  const reply = await node.config('GET', 'maxmemory-policy');
  return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : undefined;
}
