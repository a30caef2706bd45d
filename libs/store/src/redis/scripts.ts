import type { Cluster, Redis } from 'ioredis';

/**
 * The arithmetic of `token-bucket.ts` on the clock of Redis: the units of a bucket now. Units travel as text, because
 * a Lua number becomes an integer reply of limited size and a double loses nothing as text.
 */
const REFILL = `
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local function refilled(stored, capacity, window)
    local full = capacity * window
    local units, at = tonumber(stored[1] or nil), tonumber(stored[2] or nil)
    if not units or not at then return full, now end
    return math.min(full, units + math.max(0, now - at) * capacity), math.max(at, now)
  end
`;

/**
 * Takes from any number of buckets. KEYS the buckets; ARGV for each: capacity, windowMs, wanted, debt.
 * Returns for each: granted, units left; -1 granted where the key holds something that is no bucket.
 */
export const TAKE = `${REFILL}
  local reply = {}
  for i, key in ipairs(KEYS) do
    local a = i * 4
    local stored = redis.pcall('HMGET', key, 'units', 'at')
    if stored.err then
      reply[i * 2 - 1], reply[i * 2] = -1, stored.err
    else
      local capacity, window = tonumber(ARGV[a - 3]), tonumber(ARGV[a - 2])
      local units, at = refilled(stored, capacity, window)
      units = math.max(0, units - math.ceil(tonumber(ARGV[a]) * window))
      local granted = math.min(tonumber(ARGV[a - 1]), math.floor(units / window))
      units = units - granted * window
      local left = string.format('%.0f', units)
      redis.call('HSET', key, 'units', left, 'at', string.format('%.0f', at))
      redis.call('PEXPIRE', key, math.ceil((capacity * window - units) / capacity) + 1000)
      reply[i * 2 - 1], reply[i * 2] = granted, left
    end
  end
  return reply
`;

/** The units of a bucket, touching nothing. KEYS[1] bucket; ARGV capacity, windowMs. */
const PEEK = `${REFILL}
  local units = refilled(redis.call('HMGET', KEYS[1], 'units', 'at'), tonumber(ARGV[1]), tonumber(ARGV[2]))
  return string.format('%.0f', units)
`;

/**
 * Compare-and-set of a document, announced in the same step. KEYS[1] document; ARGV condition ('any', 'absent' or a
 * version), channel, '1' and the value to write or '0' to delete. Returns 1 if done.
 */
const WRITE = `
  local current = redis.pcall('GET', KEYS[1])
  if type(current) == 'table' then
    -- Somebody stored a list or a hash there: it can be put right, but has no version to compare.
    if ARGV[1] ~= 'any' then return redis.error_reply(current.err) end
    current = ''
  end
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

/** Adds to one field of many hashes. KEYS the hashes; ARGV the field, then an amount for each. Returns those it could not add to. */
const ADD = `
  local failed = {}
  for i, key in ipairs(KEYS) do
    local reply = redis.pcall('HINCRBY', key, ARGV[1], ARGV[i + 1])
    if type(reply) == 'table' and reply.err then failed[#failed + 1] = key end
  end
  return failed
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
  /** @param keysAndTerms the number of keys, the keys, then four arguments for each */
  gatehouseTake(...keysAndTerms: Array<string | number>): Promise<Array<number | string>>;
  /** The same for one bucket: a cluster client finds the node by the first argument. */
  gatehouseTakeOne(key: string, ...terms: Array<string | number>): Promise<Array<number | string>>;
  /** @param terms the number of keys, the keys, the field, an amount for each key */
  gatehouseAdd(...terms: Array<string | number>): Promise<string[]>;
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
  client.defineCommand('gatehouseTake', { lua: TAKE });
  client.defineCommand('gatehouseAdd', { lua: ADD });
  const ofOneKey = { TakeOne: TAKE, Peek: PEEK, Write: WRITE, Heartbeat: HEARTBEAT };
  for (const [name, lua] of Object.entries(ofOneKey)) {
    client.defineCommand(`gatehouse${name}`, { numberOfKeys: 1, lua });
  }
  return client as RedisClient;
}
