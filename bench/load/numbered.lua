-- A request that differs in one number, chosen at random or counted up.
-- Arguments: first number, how many, requests of a counting pass (0: choose at random until the time is up),
-- the request up to the number, the rest of it.
dofile(debug.getinfo(1, 'S').source:match('^@(.*/)') .. 'summary.lua')

function init(args)
  local first, count, pass, before, after = tonumber(args[1]), tonumber(args[2]), tonumber(args[3]), args[4], args[5]
  if pass == 0 then
    math.randomseed(os.time())
    request = function() return before .. (first + math.random(0, count - 1)) .. after end
    return
  end

  local sent, received, refused = 0, 0, 0
  request = function()
    local number = first + sent % count
    sent = sent + 1
    return before .. number .. after
  end
  -- wrk sleeps until its time is up, whatever a script says, so a pass ends the process itself and reports what matters of it.
  response = function(status)
    received = received + 1
    if status > 399 then refused = refused + 1 end
    if received < pass then return end
    io.write(string.format('RESULT {"requests":%d,"errors":{"status":%d}}\n', received, refused))
    io.flush()
    os.exit(0)
  end
end
