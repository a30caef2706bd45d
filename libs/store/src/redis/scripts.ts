import type { Cluster, Redis } from 'ioredis';
import { LEASE, TAKE } from './limit-scripts';

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

/** Reports a process as alive and counts those seen lately. KEYS[1] replicas; ARGV id, silence in ms before one is gone. */
const HEARTBEAT = `
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  redis.call('ZADD', KEYS[1], now, ARGV[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
  return redis.call('ZCARD', KEYS[1])
`;

/** Who was seen lately. KEYS[1] replicas; ARGV silence in ms before one is gone. */
const MEMBERS = `
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. (now - tonumber(ARGV[1])), '+inf')
`;

/** The commands that the scripts add to a client. */
interface Scripts {
  /** Of these two: the number of keys, the keys, the terms. For clusters; see `callScript` for single connections. */
  gatehouseTake(...keysAndTerms: Array<string | number>): Promise<Array<number | string>>;
  gatehouseLease(...keysAndTerms: Array<string | number>): Promise<Array<number | string>>;
  gatehouseWrite(
    key: string,
    condition: string,
    channel: string,
    write: '0' | '1',
    value: string,
  ): Promise<0 | 1>;
  gatehouseHeartbeat(key: string, id: string, silenceMs: number): Promise<number>;
  gatehouseMembers(key: string, silenceMs: number): Promise<string[]>;
}

export type RedisClient = (Redis | Cluster) & Scripts;

/** Teaches a client the scripts; ioredis sends EVALSHA and loads a script where it is missing. */
export function withScripts(client: Redis | Cluster): RedisClient {
  client.defineCommand('gatehouseTake', { lua: TAKE });
  client.defineCommand('gatehouseLease', { lua: LEASE });
  const ofOneKey = { Write: WRITE, Heartbeat: HEARTBEAT, Members: MEMBERS };
  for (const [name, lua] of Object.entries(ofOneKey)) {
    client.defineCommand(`gatehouse${name}`, { numberOfKeys: 1, lua });
  }
  return client as RedisClient;
}
