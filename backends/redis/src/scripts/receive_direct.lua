-- Both ends of a receive whose bodies do not pass through Lua. One transaction holds: this script
-- with 'begin', XREADGROUP GROUP cursor NOACK of the normal lane, this script with 'end'.
-- Only for the plain case: the other lanes are empty, the lane holds as many as are wanted, and
-- nothing is due, ended or came back. Otherwise both answer 0 and receive.lua has to be asked.
-- KEYS: c, s0, s1, s2, l, h, e, z.  ARGV: 'begin' or 'end', now, segment, how many, lease ms
-- Reply: 1 to 'begin', {now, until} to 'end': that many are leased; or 0, nothing is.
local counters, high, normal, low = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local leases, segments, returned_runs, delayed = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local phase, now, segment, count, lease = ARGV[1], clock(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local now_text = ms(now)

local function is_plain(C)
  return not C[2] and not C[3]
    and call('ZCARD', returned_runs) == 0
    and call('ZCOUNT', delayed, '-inf', now_text) == 0
    and call('ZCOUNT', leases, '-inf', now_text) == 0
    and call('XLEN', high) == 0 and call('XLEN', low) == 0
    and call('XLEN', normal) - (C[4] or 0) >= count
    -- Sent twice by the driver: the first is answered by receive.lua.
    and call('HEXISTS', segments, segment) == 0
end

-- The group stands where the queue's own cursor does, for the time of this transaction.
local function place_group(at)
  local placed = redis.pcall('XGROUP', 'SETID', normal, 'cursor', at)
  if placed.err then call('XGROUP', 'CREATE', normal, 'cursor', at) end
end

if phase == 'begin' then
  local C = call('HMGET', counters, 'v', 'pause', 'moving', 'f', 'cur1')
  if C[1] ~= '1' then return 0 end
  if not is_plain(C) then
    redis.pcall('XGROUP', 'SETID', normal, 'cursor', '$')
    return 0
  end
  place_group(C[5] or '0-0')
  -- What 'end' goes by: without it nothing was checked.
  call('HSET', counters, 'begun', segment)
  return 1
end

local C = call('HMGET', counters, 'begun', 'turn', 'f', 'cur1')
local from, to = C[4] or '0-0', nil
if C[1] ~= segment then return 0 end
for _, group in ipairs(call('XINFO', 'GROUPS', normal)) do
  local is_ours = false
  for i = 1, #group, 2 do
    if group[i] == 'name' then is_ours = group[i + 1] == 'cursor' end
    if group[i] == 'last-delivered-id' and is_ours then to = group[i + 1] end
  end
end
if not to or to == from then return 0 end
local till = ms(now + lease)
call('ZADD', leases, till, segment)
call('HSET', segments, segment, '=1,(' .. from .. ',' .. to .. ',0,', segment .. '#', count)
call('HSET', counters, 'begun', '', 'cur1', to, 'turn', (C[2] or 0) + count, 'f', ms((C[3] or 0) + count))
return {now_text, till}
