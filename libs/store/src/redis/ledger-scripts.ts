import type { Cluster, Redis } from 'ioredis';
import { Script, type ScriptReply } from './script-call';

/*
 * All keys of a ledger have the same hash tag, so they lie on one node, and a script that is given one of them may
 * make the names of the others itself. Redis runs a script alone and replicates it as one transaction: after a fail-over
 * a batch and its marker are both there or both not.
 */

/** What is wrong with a key that holds something of another kind than ours; nil if nothing. */
const FOREIGN = `
  local function foreign(key, kind)
    local held = redis.call('TYPE', key).ok
    if held ~= kind and held ~= 'none' then return 'WRONGTYPE ' .. key .. ' holds a ' .. held .. ', not a ' .. kind end
  end
`;

/** Milliseconds since the epoch on the clock of Redis. */
const NOW = `
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
`;

/**
 * Adds a batch. KEYS the source's marker, the open cycle, the index; ARGV the prefix of the tables, seq, after, how long
 * the marker stays in ms, then for each table: its name, how long it stays if it is new (ms, 0 for ever), the number n of
 * its additions, n fields, n amounts.
 * Returns the seq of the last batch applied, or an empty one and why the batch is refused.
 *
 * Everything is read before anything is written, as Redis undoes nothing of a script that fails half-way: a batch that
 * fails later is put right with what was read. Fields are read by the thousand, for Lua's stack takes 8000 values.
 * A call keeps Redis for some 0.2 ms with 100 additions, for 25 ms with 20,000.
 */
export const APPLY = new Script(`${FOREIGN}
  local marker, cycle, index = KEYS[1], KEYS[2], KEYS[3]
  local refusal = foreign(marker, 'string') or foreign(cycle, 'string') or foreign(index, 'zset')
  if refusal then return { '', refusal } end
  local last = redis.call('GET', marker) or '0'
  if tonumber(last) >= tonumber(ARGV[2]) or tonumber(last) < tonumber(ARGV[3]) then return { last } end

  local tables, before = {}, {}
  local at = 5
  while ARGV[at] do
    local name, lifetime, count = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    if name == 'cycle:' then name = name .. (redis.call('GET', cycle) or '1') end
    local key, first, final = ARGV[1] .. name, at + 3, at + 2 + count
    refusal = foreign(key, 'hash')
    if refusal then return { '', refusal } end
    for from = first, final, 1000 do
      local stored = redis.call('HMGET', key, unpack(ARGV, from, math.min(from + 999, final)))
      for i, amount in ipairs(stored) do before[from + i - 1] = amount end
    end
    local expires = lifetime > 0 and redis.call('EXISTS', key) == 0 and lifetime
    tables[#tables + 1] = { key = key, first = first, final = final, count = count, expires = expires }
    at = final + count + 1
  end

  local function restore()
    for _, t in ipairs(tables) do
      for i = t.first, t.final do
        if before[i] then redis.call('HSET', t.key, ARGV[i], before[i]) else redis.call('HDEL', t.key, ARGV[i]) end
      end
    end
  end
  for _, t in ipairs(tables) do
    for i = t.first, t.final do
      local reply = redis.pcall('HINCRBY', t.key, ARGV[i], ARGV[i + t.count])
      if type(reply) == 'table' then
        restore()
        -- Anything else, such as a lack of memory, says nothing about the batch: it may be tried again.
        local isOfData = string.find(reply.err, 'overflow', 1, true) or string.find(reply.err, 'not an integer', 1, true)
        if not isOfData then return redis.error_reply(reply.err) end
        return { '', t.key .. ' cannot be added to at ' .. ARGV[i] .. ': ' .. reply.err }
      end
    end
  end

  -- The clock is read last: what has expired for one of the commands above is then expired for the index, too.
  ${NOW}
  redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
  for _, t in ipairs(tables) do
    if t.expires then
      redis.call('PEXPIREAT', t.key, now + t.expires)
      redis.call('ZADD', index, now + t.expires, t.key)
    else
      redis.call('ZADD', index, 'NX', '+inf', t.key)
    end
  end
  redis.call('ZADD', index, now + ARGV[4], marker)
  redis.call('SET', marker, ARGV[2])
  redis.call('PEXPIREAT', marker, now + ARGV[4])
  return { ARGV[2] }
`);

/** KEYS[1] open cycle; ARGV the cycle to close. Returns 1 if it was the open one. */
const CLOSE_CYCLE = `
  if tonumber(redis.call('GET', KEYS[1]) or '1') ~= tonumber(ARGV[1]) then return 0 end
  redis.call('SET', KEYS[1], ARGV[1] + 1)
  return 1
`;

/** Bounds the life of a table, for Redis and for the index. KEYS table, index; ARGV ms from now. */
const EXPIRE = `${NOW}
  if redis.call('PEXPIREAT', KEYS[1], now + ARGV[1]) == 1 then
    redis.call('ZADD', KEYS[2], 'XX', now + ARGV[1], KEYS[1])
  end
`;

/** Removes everything. KEYS index, open cycle. The index goes last, so that a drop that was cut off can be repeated. */
const DROP = `
  for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('UNLINK', key) end
  redis.call('UNLINK', KEYS[2])
  redis.call('UNLINK', KEYS[1])
`;

/**
 * Everything of one moment. KEYS index, open cycle. Returns the cycle, then for each table and marker: its key, when it
 * expires ('inf': never), and its fields and amounts, or its value. What has expired already is left out.
 */
const DUMP = `
  local found = { redis.call('GET', KEYS[2]) or '1' }
  local entries = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
  for i = 1, #entries, 2 do
    local kind = redis.call('TYPE', entries[i]).ok
    local entry = { entries[i], entries[i + 1] }
    if kind == 'hash' then
      for _, value in ipairs(redis.call('HGETALL', entries[i])) do entry[#entry + 1] = value end
    elseif kind == 'string' then
      entry[3] = redis.call('GET', entries[i])
    end
    if #entry > 2 then found[#found + 1] = entry end
  end
  return found
`;

interface LedgerScripts {
  /** @param args an array, as a call with tens of thousands of arguments could exceed the stack */
  gatehouseLedgerApply(
    marker: string,
    cycle: string,
    index: string,
    args: ReadonlyArray<string | number>,
  ): Promise<ScriptReply>;
  gatehouseLedgerCloseCycle(openCycle: string, cycle: number): Promise<0 | 1>;
  gatehouseLedgerExpire(table: string, index: string, ms: number): Promise<null>;
  gatehouseLedgerDrop(index: string, openCycle: string): Promise<null>;
  gatehouseLedgerDump(index: string, openCycle: string): Promise<[cycle: string, ...entries: unknown[]]>;
}

export type LedgerClient = (Redis | Cluster) & LedgerScripts;

/** Teaches a client the scripts of ledgers. */
export function withLedgerScripts(client: Redis | Cluster): LedgerClient {
  client.defineCommand('gatehouseLedgerApply', { numberOfKeys: 3, lua: APPLY.lua });
  client.defineCommand('gatehouseLedgerCloseCycle', { numberOfKeys: 1, lua: CLOSE_CYCLE });
  client.defineCommand('gatehouseLedgerExpire', { numberOfKeys: 2, lua: EXPIRE });
  client.defineCommand('gatehouseLedgerDrop', { numberOfKeys: 2, lua: DROP });
  client.defineCommand('gatehouseLedgerDump', { numberOfKeys: 2, lua: DUMP });
  return client as LedgerClient;
}
