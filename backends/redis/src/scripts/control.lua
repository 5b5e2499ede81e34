-- Sets or lifts the pause or the mark of a move, and wakes everyone where that lets work flow.
-- ARGV: now, queue, 'pause' or 'moving', value ('' lifts it), 1 to make the queue exist
-- Reply: 1 if there was one before
local now, had = clock(ARGV[1]), call('HEXISTS', K.c, ARGV[3])
if ARGV[5] == '1' then call('HSETNX', K.c, 'v', '1') end
if ARGV[4] == '' then
  call('HDEL', K.c, ARGV[3])
  wake(ARGV[2], now, true)
else
  call('HSET', K.c, ARGV[3], ARGV[4])
end
return had
