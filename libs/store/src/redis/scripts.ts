import type { Cluster, Redis } from 'ioredis';

/**
 * `take` and `peek` of a token bucket: the arithmetic of `token-bucket.ts` on the clock of Redis.
 * KEYS[1] bucket; ARGV capacity, windowMs, wanted, debt. Returns {granted, units left}; units as text, because
 * Redis turns a Lua number into a 32-bit reply on some builds and a double loses nothing as text.
 */
const REFILL = `
  local capacity, window = tonumber(ARGV[1]), tonumber(ARGV[2])
  local full = capacity * window
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local stored = redis.call('HMGET', KEYS[1], 'units', 'at')
  local units, at = tonumber(stored[1] or nil), tonumber(stored[2] or nil)
  if not units or not at then units, at = full, now end
  units = math.min(full, units + math.max(0, now - at) * capacity)
`;

const TAKE = `${REFILL}
  local wanted, debt = tonumber(ARGV[3]), tonumber(ARGV[4])
  units = math.max(0, units - math.ceil(debt * window))
  local granted = math.min(wanted, math.floor(units / window))
  units = units - granted * window
  redis.call('HSET', KEYS[1], 'units', string.format('%.0f', units), 'at', string.format('%.0f', math.max(at, now)))
  redis.call('PEXPIRE', KEYS[1], math.ceil((full - units) / capacity) + 1000)
  return {granted, string.format('%.0f', units)}
`;

const PEEK = `${REFILL} return string.format('%.0f', units)`;

/**
 * Compare-and-set of a document, announced in the same step. KEYS[1] document; ARGV condition ('any', 'absent' or a
 * version), channel, '1' and the value to write or '0' to delete. Returns 1 if done.
 */
const WRITE = `
  local current = redis.call('GET', KEYS[1])
  if ARGV[1] == 'absent' then
    if current then return 0 end
  elseif ARGV[1] ~= 'any' then
    if not current or redis.sha1hex(current) ~= ARGV[1] then return 0 end
  end
  if ARGV[3] == '1' then
    redis.call('SET', KEYS[1], ARGV[4])
  else
    if not current then return 0 end
    redis.call('DEL', KEYS[1])
  end
  redis.call('PUBLISH', ARGV[2], KEYS[1])
  return 1
`;

/** Reports a process as alive and counts those seen lately. KEYS[1] replicas; ARGV id, silence in ms before one is gone. */
const HEARTBEAT = `
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  redis.call('ZADD', KEYS[1], now, ARGV[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
  return redis.call('ZCARD', KEYS[1])
`;

/** The commands that the scripts add to a client. */
interface Scripts {
  gatehouseTake(
    key: string,
    capacity: number,
    windowMs: number,
    wanted: number,
    debt: number,
  ): Promise<[number, string]>;
  gatehousePeek(key: string, capacity: number, windowMs: number): Promise<string>;
  gatehouseWrite(
    key: string,
    condition: string,
    channel: string,
    write: '0' | '1',
    value: string,
  ): Promise<0 | 1>;
  gatehouseHeartbeat(key: string, id: string, silenceMs: number): Promise<number>;
}

export type RedisClient = (Redis | Cluster) & Scripts;

/** Teaches a client the scripts; ioredis sends EVALSHA and loads a script where it is missing. */
export function withScripts(client: Redis | Cluster): RedisClient {
  const scripts = { Take: TAKE, Peek: PEEK, Write: WRITE, Heartbeat: HEARTBEAT };
  for (const [name, lua] of Object.entries(scripts)) {
    client.defineCommand(`gatehouse${name}`, { numberOfKeys: 1, lua });
  }
  return client as RedisClient;
}
