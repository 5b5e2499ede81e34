-- The fast path of receive.lua, tried first: nothing is due, no lease ended, nothing came back. It
-- answers what the general path would; anything else falls through to it.
do
  local counters, leases, segments, returned_runs, delayed, sleepers = KEYS[1], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[17]
  local now, segment, max, lease = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
  local sleeper, stays = ARGV[5], tonumber(ARGV[6])
  local until_now = ms(now)
  local C = call('HMGET', counters, 'v', 'pause', 'moving', 'turn', 'f', 'cur0', 'cur1', 'cur2')
  if C[1] == '1' and not C[2] and not C[3] and call('ZCARD', returned_runs) == 0
    and call('ZCOUNT', delayed, '-inf', until_now) == 0 and call('ZCOUNT', leases, '-inf', until_now) == 0
    and call('HEXISTS', segments, segment) == 0 then
    local turn = tonumber(C[4] or 0)
    local lead, order = turn % 16, {0, 1, 2}
    if lead == 15 then order = {2, 0, 1}
    elseif lead == 3 or lead == 7 or lead == 11 or lead == 13 then order = {1, 0, 2} end
    -- Each lane gets its share of the turns, and what it does not use goes to the others. A lane
    -- alone needs no shares.
    local lanes, shares = 0, {[0] = 0, 0, 0}
    for lane = 0, 2 do if call('XLEN', KEYS[2 + lane]) > 0 then lanes = lanes + 1 end end
    if lanes > 1 then
      local rounds = math.floor(max / 16)
      shares = {[0] = 11 * rounds, 4 * rounds, rounds}
      for step = turn, turn + max % 16 - 1 do
        local at = step % 16
        local leads = at == 15 and 2 or (at == 3 or at == 7 or at == 11 or at == 13) and 1 or 0
        shares[leads] = shares[leads] + 1
      end
    end
    local till = ms(now + lease)
    local reply, runs, set, taken = {until_now, 0, till, ''}, {}, {}, 0
    local found, left = {}, max
    for _, lane in ipairs(order) do
      local most = math.max(left, shares[lane])
      found[lane] = {}
      if most > 0 then
        found[lane] = call('XRANGE', KEYS[2 + lane], '(' .. (C[6 + lane] or '0-0'), '+', 'COUNT', most)
        left = math.max(left - #found[lane], 0)
      end
    end
    local given, rest = {}, max
    for lane = 0, 2 do
      given[lane] = lanes > 1 and math.min(shares[lane], #found[lane]) or 0
      rest = rest - given[lane]
    end
    for lane = 0, 2 do
      local more = math.min(#found[lane] - given[lane], rest)
      given[lane], rest = given[lane] + more, rest - more
    end
    for _, lane in ipairs(order) do
      local entries, count = found[lane], given[lane]
      for surplus = #entries, count + 1, -1 do entries[surplus] = nil end
      if count > 0 then
        local last = entries[count][1]
        taken = taken + count
        runs[#runs + 1] = lane .. ',' .. entries[1][1] .. ',' .. last .. ',0,'
        set[#set + 1], set[#set + 2] = 'cur' .. lane, last
        reply[#reply + 1] = {tostring(lane), 0, '', entries}
      end
    end
    if taken > 0 then
      call('ZADD', leases, till, segment)
      call('HSET', segments, segment, '=' .. table.concat(runs, ';'), segment .. '#', taken)
      call('HSET', counters, 'turn', turn + taken, 'f', ms(tonumber(C[5] or 0) + taken), unpack(set))
      return reply
    end
    -- Nothing at all: the name of the sleeper, and when to look again.
    if sleeper ~= '' then
      call('ZADD', sleepers, ms(now + stays), sleeper)
      call('PEXPIRE', sleepers, 120000)
    end
    local due = call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
    local ended = call('ZRANGE', leases, 0, 0, 'WITHSCORES')[2]
    if due and ended then due = math.min(due, ended) end
    due = due or ended
    return {until_now, 0, '0', due and ms(due) or ''}
  end
end
