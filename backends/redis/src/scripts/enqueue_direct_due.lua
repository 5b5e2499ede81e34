-- The long way of enqueue_direct.lua: rows are due, and go before the batch.
local now = clock(ARGV[1])
promote(now, 1000)
local is_new = call('HSETNX', K.c, 'v', '1')
call('HSET', KEYS[20], ARGV[3] % 64, ARGV[3] .. ':')
call('PEXPIRE', KEYS[20], 600000)
ready = ready + tonumber(ARGV[4])
wake(ARGV[2], now)
return {ms(now), is_new, ''}
