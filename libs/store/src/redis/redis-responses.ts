import type { Cluster, Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import * as keys from '../keys';
import type { SharedPlace, SharedResponses } from '../store';
import type { RedisHealth } from './redis-health';

/** Longer than any response is kept: a mark must outlive whatever was stored before it. */
const MARK_MS = 2 * 86_400_000;
/** Roughly what a response takes beside its value: its key, and its places in the books. */
const OVERHEAD_BYTES = 250;
/** Removed by one call: bounds how long Redis is busy with it. */
const DROPPED_AT_ONCE = 500;

/**
 * Stores a response if its URI still has the mark that the request was sent under, and if there is room for it, or after
 * those that would expire first have made some. KEYS[1] response, KEYS[2] mark, KEYS[3] ids by expiry, KEYS[4] sizes by id,
 * the sum under ''; ARGV mark, value, ttl in ms, bytes, most bytes, id, what keys of responses begin with, ms to keep the
 * books. Returns 1 if stored.
 */
const PUT = `
  if (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then return 0 end
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local total = tonumber(redis.call('HGET', KEYS[4], '') or '0')
  local function forget(id)
    local size = redis.call('HGET', KEYS[4], id)
    if not size then return end
    total = total - tonumber(size)
    redis.call('HDEL', KEYS[4], id)
    redis.call('ZREM', KEYS[3], id)
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 200)) do forget(id) end
  forget(ARGV[6])
  local size, most = tonumber(ARGV[4]), tonumber(ARGV[5])
  for _ = 1, 200 do
    if total + size <= most then break end
    local first = redis.call('ZRANGE', KEYS[3], 0, 0)[1]
    if not first then total = 0 break end
    redis.call('DEL', ARGV[7] .. first)
    forget(first)
  end
  local stored = 0
  if total + size <= most then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
    redis.call('ZADD', KEYS[3], now + tonumber(ARGV[3]), ARGV[6])
    redis.call('HSET', KEYS[4], ARGV[6], size)
    total = total + size
    stored = 1
  end
  redis.call('HSET', KEYS[4], '', total)
  redis.call('PEXPIRE', KEYS[3], ARGV[8])
  redis.call('PEXPIRE', KEYS[4], ARGV[8])
  return stored
`;

/** Gives a URI a new mark and says so. KEYS[1] mark; ARGV mark, ms to keep it, channel, announcement. */
const INVALIDATE = `
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  redis.call('PUBLISH', ARGV[3], ARGV[4])
  return 1
`;

/** Removes responses, the first to expire first. KEYS[1] ids, KEYS[2] sizes; ARGV prefix, how many. Returns how many are left. */
const DROP = `
  local ids = redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[2]) - 1)
  for _, id in ipairs(ids) do
    redis.call('DEL', ARGV[1] .. id)
    redis.call('ZREM', KEYS[1], id)
  end
  local left = redis.call('ZCARD', KEYS[1])
  if left == 0 then redis.call('DEL', KEYS[1], KEYS[2]) end
  return left
`;

interface Scripts {
  gatehouseCachePut(
    response: string,
    mark: string,
    index: string,
    sizes: string,
    ...terms: Array<string | number | Buffer>
  ): Promise<0 | 1>;
  gatehouseCacheInvalidate(mark: string, ...terms: Array<string | number>): Promise<1>;
  gatehouseCacheDrop(index: string, sizes: string, prefix: string, count: number): Promise<number>;
}

/** Responses in Redis. All that belongs to a tenant lies in one slot, so that a script can count it. */
export class RedisResponses implements SharedResponses {
  private readonly client: (Redis | Cluster) & Scripts;

  constructor(
    client: Redis | Cluster,
    private readonly health: RedisHealth,
  ) {
    client.defineCommand('gatehouseCachePut', { numberOfKeys: 4, lua: PUT });
    client.defineCommand('gatehouseCacheInvalidate', { numberOfKeys: 1, lua: INVALIDATE });
    client.defineCommand('gatehouseCacheDrop', { numberOfKeys: 2, lua: DROP });
    this.client = client as (Redis | Cluster) & Scripts;
  }

  get available(): boolean {
    return this.health.state === 'ready';
  }

  async get(tenantId: string, uri: string, id: string): Promise<{ value: Buffer | undefined; mark: string }> {
    const asked = [keys.cachedResponse(tenantId, id), keys.cacheMark(tenantId, uri)];
    const [value, mark] = await this.health.run(() => this.client.mgetBuffer(asked));
    return { value: value ?? undefined, mark: mark?.toString() ?? '' };
  }

  async put(place: SharedPlace, value: Buffer, ttlMs: number, maxBytes: number): Promise<void> {
    const { tenantId, uri, id, mark } = place;
    await this.health.run(() =>
      this.client.gatehouseCachePut(
        keys.cachedResponse(tenantId, id),
        keys.cacheMark(tenantId, uri),
        keys.cacheIndex(tenantId),
        keys.cacheSizes(tenantId),
        mark,
        value,
        ttlMs,
        value.length + OVERHEAD_BYTES,
        maxBytes,
        id,
        keys.cachedResponse(tenantId, ''),
        MARK_MS,
      ),
    );
  }

  async invalidate(tenantId: string, uri: string, announced: string): Promise<void> {
    const said = keys.cacheChange(tenantId, announced);
    await this.health.run(() =>
      this.client.gatehouseCacheInvalidate(
        keys.cacheMark(tenantId, uri),
        randomUUID(),
        MARK_MS,
        keys.CHANGES_CHANNEL,
        said,
      ),
    );
  }

  async drop(tenantId: string): Promise<void> {
    const [index, sizes] = [keys.cacheIndex(tenantId), keys.cacheSizes(tenantId)];
    const prefix = keys.cachedResponse(tenantId, '');
    const some = (): Promise<number> =>
      this.health.run(() => this.client.gatehouseCacheDrop(index, sizes, prefix, DROPPED_AT_ONCE));
    while ((await some()) > 0);
    await this.health.run(() => this.client.publish(keys.CHANGES_CHANNEL, keys.cacheChange(tenantId, '')));
  }

  async size(tenantId: string): Promise<{ entries: number; bytes: number }> {
    const index = keys.cacheIndex(tenantId);
    const sizes = keys.cacheSizes(tenantId);
    const [entries, bytes] = await Promise.all([
      this.health.run(() => this.client.zcount(index, Date.now(), '+inf')),
      this.health.run(() => this.client.hget(sizes, '')),
    ]);
    return { entries, bytes: Number(bytes ?? 0) };
  }
}
