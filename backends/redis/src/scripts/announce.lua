-- Announces a worker, or takes it off the list.  KEYS: the list.
-- ARGV: now, worker, ttl ms, its announcement ('' takes it off)
local workers, now, worker, ttl, announcement = KEYS[1], clock(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4]
if announcement == '' then
  call('HDEL', workers, worker)
else
  call('HSET', workers, worker, fmt('%.0f %.0f ', now, now + ttl) .. announcement)
end
-- Those that are gone are looked for by chance, a few each time: the cost does not grow with the
-- list, and readers leave out what is over anyway.
local some = call('HRANDFIELD', workers, 8, 'WITHVALUES')
for i = 1, #some, 2 do
  local till = string.match(some[i + 1], '^%d+ (%d+)')
  if not till or tonumber(till) <= now then call('HDEL', workers, some[i]) end
end
return ms(now)
