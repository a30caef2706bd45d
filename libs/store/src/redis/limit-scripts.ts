import { LEASE_TTL_MS } from '../store';

/** How long a budget is remembered after its period, or after the last request that took it for open. */
const BUDGET_GRACE_MS = 60_000;

/**
 * The arithmetic of `token-bucket.ts` on the clock of Redis. Levels travel as text, because a Lua number becomes an
 * integer reply of limited size and a double loses nothing as text. A limit with a window is a bucket, one without a budget.
 */
const LEVELS = `
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local LEASE_TTL = ${LEASE_TTL_MS}
  local function text(number) return string.format('%.0f', number) end

  local function roomFor(level, capacity, window)
    return math.max(0, capacity * window - level.lent - level.before)
  end

  local function advance(level, capacity, window, to)
    local elapsed = math.max(0, to - level.at)
    level.units = math.min(roomFor(level, capacity, window), level.units + elapsed * capacity)
    level.at = math.max(level.at, to)
  end

  -- What is under a key now, or nil and what is wrong with it.
  local function read(key, capacity, window)
    if window == 0 then
      local spent = redis.pcall('HGET', key, 'spent')
      if type(spent) == 'table' then return nil, spent.err end
      return { units = tonumber(spent or nil) or 0 }
    end
    local stored = redis.pcall('HMGET', key, 'units', 'at', 'lent', 'before', 'turns')
    if stored.err then return nil, stored.err end
    local level = {
      units = tonumber(stored[1] or nil) or capacity * window,
      at = tonumber(stored[2] or nil) or now,
      lent = tonumber(stored[3] or nil) or 0,
      before = tonumber(stored[4] or nil) or 0,
      turns = tonumber(stored[5] or nil) or 0,
    }
    level.leased = level.turns > 0
    while level.turns > 0 and now >= level.turns do
      advance(level, capacity, window, level.turns)
      level.before, level.lent = level.lent, 0
      level.turns = level.before > 0 and level.turns + LEASE_TTL or 0
    end
    advance(level, capacity, window, now)
    return level
  end

  -- A bucket is forgotten when it has refilled, a budget when its period is over.
  local function write(key, level, capacity, window, endsAt)
    if window == 0 then
      redis.call('HSET', key, 'spent', text(level.units))
      -- A period that is over here may go on by the clock of a gateway: what is forgotten at once would have no limit.
      if endsAt > 0 then redis.call('PEXPIREAT', key, math.max(endsAt, now) + ${BUDGET_GRACE_MS})
      else redis.call('PERSIST', key) end
      return
    end
    redis.call('HSET', key, 'units', text(level.units), 'at', text(level.at))
    if level.leased or level.turns > 0 then
      redis.call('HSET', key, 'lent', text(level.lent), 'before', text(level.before), 'turns', text(level.turns))
    end
    local refilled = math.ceil((capacity * window - level.units) / capacity)
    redis.call('PEXPIRE', key, math.max(refilled, level.turns + LEASE_TTL - now) + 1000)
  end
`;

/**
 * Takes claims. KEYS the limits; ARGV for each: capacity, window, endsAt; then for each claim: how many requests make it,
 * its number of limits, and for each of those: which key, cost. Requests of one claim are granted in the order they came.
 * Returns for each claim: granted, and the level of each of its limits afterwards; or -1 and what is wrong.
 * Asking for none only looks.
 */
export const TAKE = `${LEVELS}
  local levels, failures, dirty = {}, {}, {}
  for i, key in ipairs(KEYS) do
    levels[i], failures[i] = read(key, tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1]))
  end
  local reply, a = {}, #KEYS * 3 + 1
  while a <= #ARGV do
    local granted, count, failure = tonumber(ARGV[a]), tonumber(ARGV[a + 1]), nil
    for j = 1, count do
      local i, cost = tonumber(ARGV[a + j * 2]), tonumber(ARGV[a + j * 2 + 1])
      local capacity, window = tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1])
      if not levels[i] then
        failure = failures[i]
      elseif window > 0 then
        granted = math.min(granted, math.floor(levels[i].units / window))
      elseif cost > 0 then
        granted = math.min(granted, math.max(0, math.floor((capacity - levels[i].units) / cost)))
      end
    end
    if failure then
      reply[#reply + 1], reply[#reply + 2] = -1, failure
    else
      reply[#reply + 1] = granted
      for j = 1, count do
        local i, cost = tonumber(ARGV[a + j * 2]), tonumber(ARGV[a + j * 2 + 1])
        local window = tonumber(ARGV[i * 3 - 1])
        if granted > 0 then
          dirty[i] = true
          levels[i].units = levels[i].units + (window > 0 and -granted * window or granted * cost)
        end
        reply[#reply + 1] = text(levels[i].units)
      end
    end
    a = a + 2 + count * 2
  end
  for i, key in ipairs(KEYS) do
    if dirty[i] then
      write(key, levels[i], tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1]), tonumber(ARGV[i * 3]))
    end
  end
  return reply
`;

/** Takes down to nothing, or gives back up to the capacity. KEYS the limits; ARGV for each: capacity, window, endsAt, amount. */
export const CHARGE = `${LEVELS}
  for i, key in ipairs(KEYS) do
    local a = i * 4
    local capacity, window, amount = tonumber(ARGV[a - 3]), tonumber(ARGV[a - 2]), tonumber(ARGV[a])
    local level = read(key, capacity, window)
    if level then
      if window == 0 then
        level.units = math.max(0, level.units + amount)
      else
        local left = math.max(0, level.units - math.ceil(amount * window))
        level.units = math.min(roomFor(level, capacity, window), left)
      end
      write(key, level, capacity, window, tonumber(ARGV[a - 1]))
    end
  end
  return {}
`;

/**
 * Ends leases and begins others. KEYS the buckets; ARGV for each: capacity, window, wanted, generation, used, returned,
 * held. Returns for each: granted, units left, generation, 1 if what is held is known; -1, what is wrong, 0, 0 for what
 * is no bucket.
 */
export const LEASE = `${LEVELS}
  -- Brings home what was used and what comes back; what is held counts as lent anew.
  local function settle(level, generation, over, held)
    if level.turns == 0 then return false end
    if generation == level.turns then
      level.lent = math.max(0, level.lent - over)
    elseif generation == level.turns - LEASE_TTL then
      level.before = math.max(0, level.before - over)
      local renewed = math.min(level.before, held)
      level.before, level.lent = level.before - renewed, level.lent + renewed
    else
      return false
    end
    return true
  end

  local reply = {}
  for i, key in ipairs(KEYS) do
    local a = i * 7 - 6
    local capacity, window, wanted = tonumber(ARGV[a]), tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
    local used, returned, held = tonumber(ARGV[a + 4]), tonumber(ARGV[a + 5]), tonumber(ARGV[a + 6])
    local level, failure = read(key, capacity, window)
    local granted, left, generation, kept = -1, failure, 0, 0
    if level then
      if settle(level, tonumber(ARGV[a + 3]), (used + returned) * window, held * window) then
        level.units = math.min(roomFor(level, capacity, window), level.units + returned * window)
        kept = 1
      end
      granted = math.min(wanted, math.floor(level.units / window))
      level.units = level.units - granted * window
      level.lent = level.lent + granted * window
      if level.lent > 0 and level.turns == 0 then level.turns = level.at + LEASE_TTL end
      write(key, level, capacity, window, 0)
      left, generation = text(level.units), level.turns
    end
    local r = i * 4 - 3
    reply[r], reply[r + 1], reply[r + 2], reply[r + 3] = granted, left, generation, kept
  end
  return reply
`;
