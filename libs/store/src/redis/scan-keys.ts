import { Cluster, type Redis } from 'ioredis';
import type { RedisHealth } from './redis-health';

const SCAN_BATCH = 1000;

/** All keys with a prefix, of all masters, in no order; one may come twice. */
export async function* scanKeys(
  client: Redis | Cluster,
  health: RedisHealth,
  prefix: string,
): AsyncIterable<string> {
  // `[`, `*`, `?` and `\\` are the specials of a Redis glob.
  const match = `${prefix.replace(/[[\]*?\\]/g, '\\$&')}*`;
  const nodes = client instanceof Cluster ? client.nodes('master') : [client];
  for (const node of nodes) {
    let cursor = '0';
    do {
      const at = cursor;
      const [next, keys] = await health.run(() => node.scan(at, 'MATCH', match, 'COUNT', SCAN_BATCH));
      yield* keys;
      cursor = next;
    } while (cursor !== '0');
  }
}
