-- Announces a worker, or takes it off the list.  KEYS: the list.
-- ARGV: now, worker, ttl ms, its announcement ('' takes it off)
local call = redis.call
local now = tonumber(ARGV[1])
if not now then
  local t = call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end
if ARGV[4] == '' then
  call('HDEL', KEYS[1], ARGV[2])
else
  call('HSET', KEYS[1], ARGV[2], string.format('%.0f %.0f ', now, now + tonumber(ARGV[3])) .. ARGV[4])
end
local all = call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local till = string.match(all[i + 1], '^%d+ (%d+)')
  if not till or tonumber(till) <= now then call('HDEL', KEYS[1], all[i]) end
end
return string.format('%.0f', now)
