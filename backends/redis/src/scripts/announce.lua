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
-- Those that are gone are looked for by chance, a few each time: the cost does not grow with the
-- list, and readers leave out what is over anyway.
local some = call('HRANDFIELD', KEYS[1], 8, 'WITHVALUES')
for i = 1, #some, 2 do
  local till = string.match(some[i + 1], '^%d+ (%d+)')
  if not till or tonumber(till) <= now then call('HDEL', KEYS[1], some[i]) end
end
return string.format('%.0f', now)
