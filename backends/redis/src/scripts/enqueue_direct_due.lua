-- The general path of enqueue_direct.lua: rows are due, and go before the batch.
local now, queue, number, count, producer = clock(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4]), KEYS[20]
promote(now, 1000)
local is_new = call('HSETNX', K.c, 'v', '1')
call('HSET', producer, number % 64, number .. ':')
call('PEXPIRE', producer, 600000)
ready = ready + count
wake(queue, now)
return {ms(now), is_new, ''}
