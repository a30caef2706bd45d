import type { Cluster, Redis } from 'ioredis';
import type { RecentBoard, RecentEntry, Recents } from '../notes';
import type { RedisHealth } from './redis-health';

/**
 * KEYS: all ids, texts by id, ids of each group. ARGV: max, ms, and for each entry its id, its text, the place of its
 * group among the keys and how many that may have. An id that goes because of all the others stays in its group, where
 * nobody finds a text for it.
 */
const ADD = `
  for i = 3, #ARGV, 4 do
    local id, group = ARGV[i], KEYS[tonumber(ARGV[i + 2])]
    redis.call('ZADD', KEYS[1], 0, id)
    redis.call('HSET', KEYS[2], id, ARGV[i + 1])
    redis.call('ZADD', group, 0, id)
    local excess = redis.call('ZCARD', group) - tonumber(ARGV[i + 3])
    if excess > 0 then
      local old = redis.call('ZPOPMIN', group, excess)
      for j = 1, #old, 2 do
        redis.call('ZREM', KEYS[1], old[j])
        redis.call('HDEL', KEYS[2], old[j])
      end
    end
  end
  local excess = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[1])
  if excess > 0 then
    local old = redis.call('ZPOPMIN', KEYS[1], excess)
    for j = 1, #old, 2 do redis.call('HDEL', KEYS[2], old[j]) end
  end
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[2]) end
  return 1
`;

/** KEYS: ids, texts by id. ARGV: the bound above, how many. Ids and texts in turn; those without a text are left out. */
const PAGE = `
  local found = {}
  local bound = ARGV[1]
  while true do
    local ids = redis.call('ZREVRANGEBYLEX', KEYS[1], bound, '-', 'LIMIT', 0, tonumber(ARGV[2]))
    for _, id in ipairs(ids) do
      local text = redis.call('HGET', KEYS[2], id)
      if text then
        found[#found + 1] = id
        found[#found + 1] = text
      end
      if #found == 2 * tonumber(ARGV[2]) then return found end
    end
    if #ids < tonumber(ARGV[2]) then return found end
    bound = '(' .. ids[#ids]
  end
`;

interface RecentClient {
  gatehouseRecentAdd(keys: number, ...keysAndArgs: Array<string | number>): Promise<number>;
  gatehouseRecentPage(...args: Array<string | number>): Promise<string[]>;
  hget(key: string, field: string): Promise<string | null>;
}

/** Recent entries in Redis. The key of a board has braces in it, so that all its parts are in one slot. */
export class RedisRecents implements Recents {
  private readonly client: RecentClient;

  constructor(
    client: Redis | Cluster,
    private readonly health: RedisHealth,
  ) {
    client.defineCommand('gatehouseRecentAdd', { lua: ADD });
    client.defineCommand('gatehouseRecentPage', { numberOfKeys: 2, lua: PAGE });
    this.client = client as unknown as RecentClient;
  }

  async add(
    { key, max, ms }: RecentBoard,
    entries: readonly RecentEntry[],
    maxOf: (group: string) => number,
  ): Promise<void> {
    if (entries.length === 0) return;
    const groups = [...new Set(entries.map(({ group }) => group))];
    const keys = [key, textsOf(key), ...groups.map((group) => groupOf(key, group))];
    const args = entries.flatMap(({ id, text, group }) => [
      id,
      text,
      groups.indexOf(group) + 3,
      maxOf(group),
    ]);
    await this.health.run(() =>
      this.client.gatehouseRecentAdd(keys.length, ...keys, max, Math.ceil(ms), ...args),
    );
  }

  async page(
    { key }: RecentBoard,
    group: string | undefined,
    before: string,
    limit: number,
  ): Promise<Array<Pick<RecentEntry, 'id' | 'text'>>> {
    const ids = group === undefined ? key : groupOf(key, group);
    const bound = before === '' ? '+' : `(${before}`;
    const flat = await this.health.run(() =>
      this.client.gatehouseRecentPage(ids, textsOf(key), bound, limit),
    );
    const found: Array<Pick<RecentEntry, 'id' | 'text'>> = [];
    for (let i = 0; i < flat.length; i += 2)
      found.push({ id: flat[i] as string, text: flat[i + 1] as string });
    return found;
  }

  async get({ key }: RecentBoard, id: string): Promise<string | undefined> {
    return (await this.health.run(() => this.client.hget(textsOf(key), id))) ?? undefined;
  }
}

function textsOf(key: string): string {
  return `${key}:texts`;
}

function groupOf(key: string, group: string): string {
  return `${key}:of:${group}`;
}
