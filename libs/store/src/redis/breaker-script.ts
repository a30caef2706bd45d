import { CLOSED_MEMORY_MS, FORCED_MEMORY_MS, OPEN_MEMORY_MS } from '../breaker-record';

/**
 * One step with a breaker: what `stepBreaker` does, on the clock of Redis. KEYS[1] the record, a hash with a field for
 * each probe under way; ARGV channel of changes, step, generation, id, word (reason, outcome or state), openMs, maxOpenMs,
 * probes, permitMs, reason. Numbers travel as text.
 */
export const BREAKER = `
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local key, channel, step = KEYS[1], ARGV[1], ARGV[2]
  local openMs, maxOpenMs, probes, permitMs = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
  local reason = ARGV[10]
  local function text(number) return string.format('%.0f', number) end

  local fields, permits, probing = {}, {}, 0
  local stored = redis.call('HGETALL', key)
  for i = 1, #stored, 2 do
    local permit = string.match(stored[i], '^p:(.+)$')
    if permit then
      permits[permit] = tonumber(stored[i + 1])
      probing = probing + 1
    else fields[stored[i]] = stored[i + 1] end
  end
  local state = fields.state or 'closed'
  local generation = tonumber(fields.generation) or 0
  local until_ = tonumber(fields['until']) or 0
  local since = tonumber(fields.since) or 0
  local openings = tonumber(fields.openings) or 0
  local lastOpenMs = tonumber(fields.openMs) or 0
  local succeeded = tonumber(fields.succeeded) or 0
  local why = fields.reason or ''
  local granted = 0

  -- Replaces the record, and tells everybody.
  local function enter(to, because, memory)
    state, why, since, succeeded, permits, probing = to, because, now, 0, {}, 0
    generation = math.max(generation + 1, now)
    redis.call('DEL', key)
    redis.call('HSET', key, 'state', state, 'generation', text(generation), 'until', text(until_), 'since', text(since),
      'openings', text(openings), 'openMs', text(lastOpenMs), 'reason', why)
    redis.call('PEXPIRE', key, text(memory))
    redis.call('PUBLISH', channel, key)
  end

  local function open(because)
    openings = openings + 1
    lastOpenMs = math.min(maxOpenMs, openMs * 2 ^ math.min(30, openings - 1))
    until_ = now + lastOpenMs
    enter('open', because, lastOpenMs + ${OPEN_MEMORY_MS})
  end

  if step == 'trip' then
    if state == 'closed' and (generation == 0 or ARGV[3] == '' or tonumber(ARGV[3]) == generation) then open(reason) end
  elseif step == 'permit' then
    if state == 'open' and now >= until_ then
      for permit, expiry in pairs(permits) do
        if expiry <= now then
          redis.call('HDEL', key, 'p:' .. permit)
          probing = probing - 1
        end
      end
      if succeeded + probing < probes then
        redis.call('HSET', key, 'p:' .. ARGV[4], text(now + permitMs))
        redis.call('PEXPIRE', key, text(permitMs + ${OPEN_MEMORY_MS}))
        probing = probing + 1
        granted = 1
      end
    end
  elseif step == 'settle' then
    if state == 'open' and tonumber(ARGV[3]) == generation and permits[ARGV[4]] then
      redis.call('HDEL', key, 'p:' .. ARGV[4])
      probing = probing - 1
      if ARGV[5] == 'failed' then open(reason)
      elseif ARGV[5] == 'succeeded' then
        succeeded = succeeded + 1
        redis.call('HSET', key, 'succeeded', text(succeeded))
        if succeeded >= probes then
          enter('closed', reason, math.max(${CLOSED_MEMORY_MS}, 3 * lastOpenMs))
        end
      end
    end
  elseif step == 'force' then
    until_, openings, lastOpenMs = 0, 0, 0
    if ARGV[5] == 'none' then enter('closed', reason, ${CLOSED_MEMORY_MS})
    else enter('forced_' .. ARGV[5], reason, ${FORCED_MEMORY_MS}) end
  end

  local remaining = 0
  local shown = state
  if state == 'open' then
    remaining = math.max(0, until_ - now)
    if remaining == 0 then shown = 'half_open' end
  end
  local age = 0
  if since > 0 then age = math.max(0, now - since) end
  return { shown, text(generation), text(remaining), text(age), text(openings), text(lastOpenMs), why,
    text(succeeded), text(probing), granted }
`;
