-- Both ends of a receive whose bodies do not pass through Lua. One transaction holds: this script
-- with 'begin', XREADGROUP GROUP cursor NOACK of the normal lane, this script with 'end'.
-- Only for the plain case: the other lanes are empty, the lane holds as many as are wanted, and
-- nothing is due, ended or came back. Otherwise both answer 0 and receive.lua has to be asked.
-- KEYS: c, s0, s1, s2, l, h, e, z.  ARGV: 'begin' or 'end', now, segment, how many, lease ms
-- Reply: 1 to 'begin', {now, until} to 'end': that many are leased; or 0, nothing is.
local call, format = redis.call, string.format
local segment, count = ARGV[3], tonumber(ARGV[4])
local now = tonumber(ARGV[2])
if not now then
  local t = call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end
local now_text = format('%.0f', now)

local function is_plain(C)
  return not C[2] and not C[3]
    and call('ZCARD', KEYS[7]) == 0
    and call('ZCOUNT', KEYS[8], '-inf', now_text) == 0
    and call('ZCOUNT', KEYS[5], '-inf', now_text) == 0
    and call('XLEN', KEYS[2]) == 0 and call('XLEN', KEYS[4]) == 0
    and call('XLEN', KEYS[3]) - (C[4] or 0) >= count
    -- Sent twice by the driver: the first is answered by receive.lua.
    and call('HEXISTS', KEYS[6], segment) == 0
end

-- The group stands where the queue's own cursor does, for the time of this transaction.
local function place_group(at)
  local placed = redis.pcall('XGROUP', 'SETID', KEYS[3], 'cursor', at)
  if placed.err then call('XGROUP', 'CREATE', KEYS[3], 'cursor', at) end
end

if ARGV[1] == 'begin' then
  local C = call('HMGET', KEYS[1], 'v', 'pause', 'moving', 'f', 'cur1')
  if C[1] ~= '1' then return 0 end
  if not is_plain(C) then
    redis.pcall('XGROUP', 'SETID', KEYS[3], 'cursor', '$')
    return 0
  end
  place_group(C[5] or '0-0')
  -- What 'end' goes by: without it nothing was checked.
  call('HSET', KEYS[1], 'begun', segment)
  return 1
end

local C = call('HMGET', KEYS[1], 'begun', 'turn', 'f', 'cur1')
local from, to = C[4] or '0-0', nil
if C[1] ~= segment then return 0 end
for _, group in ipairs(call('XINFO', 'GROUPS', KEYS[3])) do
  local is_ours = false
  for i = 1, #group, 2 do
    if group[i] == 'name' then is_ours = group[i + 1] == 'cursor' end
    if group[i] == 'last-delivered-id' and is_ours then to = group[i + 1] end
  end
end
if not to or to == from then return 0 end
local till = format('%.0f', now + tonumber(ARGV[5]))
call('ZADD', KEYS[5], till, segment)
call('HSET', KEYS[6], segment, '=1,(' .. from .. ',' .. to .. ',0,', segment .. '#', count)
call('HSET', KEYS[1], 'begun', '', 'cur1', to, 'turn', (C[2] or 0) + count, 'f', format('%.0f', (C[3] or 0) + count))
return {now_text, till}
