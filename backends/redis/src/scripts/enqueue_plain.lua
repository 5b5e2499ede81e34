-- Stores messages that are due and have no group, no given id, no dedup key and no large body.
-- KEYS: c, s0, s1, s2, w, producer, z.
-- ARGV: now, queue, producer's batch number, 'r' if this is a repeat, then lane, id, head, body each
-- Reply: {now, 1 if the queue is new, ''}, or 0 where rows are due that go first.
-- Cost: one XADD each and 5 to 6 calls for the batch.
local counters, sleepers, producer, delayed = KEYS[1], KEYS[5], KEYS[6], KEYS[7]
local now, queue, number, repeats = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local version = call('HGET', counters, 'v')
local refusal = newer_layout(version)
if refusal then return refusal end
if repeats ~= '' and call('HGET', producer, number % 64) == number .. ':' then
  -- Something must be written: a call that waits for replicas now waits for what came before, too.
  call('PEXPIRE', producer, 600000)
  return {ms(now), 0, ''}
end
if call('ZCOUNT', delayed, '-inf', ms(now)) > 0 then return 0 end
if not version then call('HSET', counters, 'v', '1') end
for i = 5, #ARGV, 4 do
  call('XADD', KEYS[2 + tonumber(ARGV[i])], '*', 'i', ARGV[i + 1], 'h', ARGV[i + 2], 'b', ARGV[i + 3])
end
call('HSET', producer, number % 64, number .. ':')
call('PEXPIRE', producer, 600000)
wake_some(sleepers, queue, now, math.ceil((#ARGV - 4) / 64))
return {ms(now), version and 0 or 1, ''}
