import type { Cluster, Redis } from 'ioredis';
import type { NoteBoard, Notes } from '../notes';
import type { RedisHealth } from './redis-health';

const NOW = `
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
`;

/** KEYS: texts by name, names by when they go. ARGV: name, text, ms, max. Those whose time is over go a few at a time. */
const PUT = `${NOW}
  local function drop(names)
    if #names == 0 then return end
    redis.call('ZREM', KEYS[2], unpack(names))
    redis.call('HDEL', KEYS[1], unpack(names))
  end
  drop(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100))
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('ZADD', KEYS[2], now + tonumber(ARGV[3]), ARGV[1])
  local excess = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[4])
  if excess > 0 then drop(redis.call('ZRANGE', KEYS[2], 0, math.min(excess, 100) - 1)) end
  for _, key in ipairs(KEYS) do
    if redis.call('PTTL', key) < tonumber(ARGV[3]) then redis.call('PEXPIRE', key, ARGV[3]) end
  end
  return 1
`;

/** ARGV: name. */
const GET = `${NOW}
  local till = redis.call('ZSCORE', KEYS[2], ARGV[1])
  if not till or tonumber(till) <= now then return false end
  return redis.call('HGET', KEYS[1], ARGV[1])
`;

/** ARGV: name, ms. */
const RENEW = `${NOW}
  local till = redis.call('ZSCORE', KEYS[2], ARGV[1])
  if not till or tonumber(till) <= now then return 0 end
  redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), ARGV[1])
  for _, key in ipairs(KEYS) do
    if redis.call('PTTL', key) < tonumber(ARGV[2]) then redis.call('PEXPIRE', key, ARGV[2]) end
  end
  return 1
`;

const DELETE = `
  redis.call('ZREM', KEYS[2], ARGV[1])
  return redis.call('HDEL', KEYS[1], ARGV[1])
`;

/** Names and texts in turn. */
const ALL = `${NOW}
  local found = {}
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf')) do
    local text = redis.call('HGET', KEYS[1], name)
    if text then
      found[#found + 1] = name
      found[#found + 1] = text
    end
  end
  return found
`;

const SCRIPTS = { Put: PUT, Get: GET, Renew: RENEW, Delete: DELETE, All: ALL };

interface NoteClient {
  gatehouseNotePut(...args: Array<string | number>): Promise<number>;
  gatehouseNoteGet(...args: string[]): Promise<string | null>;
  gatehouseNoteRenew(...args: Array<string | number>): Promise<number>;
  gatehouseNoteDelete(...args: string[]): Promise<number>;
  gatehouseNoteAll(...args: string[]): Promise<string[]>;
}

/** Notes in Redis, on its clock. The key of a board has braces in it, so that both its parts are in one slot. */
export class RedisNotes implements Notes {
  private readonly client: NoteClient;

  constructor(
    client: Redis | Cluster,
    private readonly health: RedisHealth,
  ) {
    for (const [name, lua] of Object.entries(SCRIPTS))
      client.defineCommand(`gatehouseNote${name}`, { numberOfKeys: 2, lua });
    this.client = client as unknown as NoteClient;
  }

  async put({ key, max }: NoteBoard, name: string, text: string, ms: number): Promise<void> {
    await this.health.run(() =>
      this.client.gatehouseNotePut(...partsOf(key), name, text, Math.max(1, Math.ceil(ms)), max),
    );
  }

  async get({ key }: NoteBoard, name: string): Promise<string | undefined> {
    return (await this.health.run(() => this.client.gatehouseNoteGet(...partsOf(key), name))) ?? undefined;
  }

  async renew({ key }: NoteBoard, name: string, ms: number): Promise<boolean> {
    const till = Math.max(1, Math.ceil(ms));
    return (await this.health.run(() => this.client.gatehouseNoteRenew(...partsOf(key), name, till))) === 1;
  }

  async delete({ key }: NoteBoard, name: string): Promise<void> {
    await this.health.run(() => this.client.gatehouseNoteDelete(...partsOf(key), name));
  }

  async all({ key }: NoteBoard): Promise<Map<string, string>> {
    const flat = await this.health.run(() => this.client.gatehouseNoteAll(...partsOf(key)));
    const found = new Map<string, string>();
    for (let i = 0; i < flat.length; i += 2) found.set(flat[i] as string, flat[i + 1] as string);
    return found;
  }
}

function partsOf(key: string): [texts: string, until: string] {
  return [key, `${key}:until`];
}
