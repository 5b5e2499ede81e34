-- Stores messages that are due and have no group, no given id, no dedup key and no large body.
-- KEYS: c, s0, s1, s2, w, producer, z.
-- ARGV: now, queue, producer's batch number, 'r' if this is a repeat, then lane, id, head, body each
-- Reply: {now, 1 if the queue is new, ''}, or 0 where rows are due that go first.
-- Cost: one XADD each and 5 to 6 calls for the batch.
local call = redis.call
local now
if ARGV[1] ~= '' then now = tonumber(ARGV[1]) else
  local t = call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end
local version = call('HGET', KEYS[1], 'v')
if version and version ~= '1' then return redis.error_reply('LONGSHORE newer layout ' .. version) end
if ARGV[4] ~= '' and call('HGET', KEYS[6], ARGV[3] % 64) == ARGV[3] .. ':' then
  -- Something must be written: whoever waits for replicas now waits for what came before, too.
  call('PEXPIRE', KEYS[6], 600000)
  return {string.format('%.0f', now), 0, ''}
end
if call('ZCOUNT', KEYS[7], '-inf', string.format('%.0f', now)) > 0 then return 0 end
if not version then call('HSET', KEYS[1], 'v', '1') end
for i = 5, #ARGV, 4 do
  call('XADD', KEYS[2 + tonumber(ARGV[i])], '*', 'i', ARGV[i + 1], 'h', ARGV[i + 2], 'b', ARGV[i + 3])
end
call('HSET', KEYS[6], ARGV[3] % 64, ARGV[3] .. ':')
call('PEXPIRE', KEYS[6], 600000)
local left = math.ceil((#ARGV - 4) / 64)
while left > 0 do
  local popped = call('ZPOPMAX', KEYS[5])
  if not popped[1] then break end
  if tonumber(popped[2]) >= now then
    call('PUBLISH', popped[1], ARGV[2])
    left = left - 1
  end
end
return {string.format('%.0f', now), version and 0 or 1, ''}
