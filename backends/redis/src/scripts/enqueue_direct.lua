-- Goes first in a transaction whose bare XADDs store a batch of plain messages. It does for them what
-- enqueue_plain.lua does around its own, and more: what fell due is made ready before them.
-- ARGV: now, queue, producer's batch number, how many follow, their lanes (digits)
-- KEYS: those of every script, then the producer's.
-- Reply: {now, 1 if the queue is new, ''}
-- Cost: 6 to 7 calls for the batch.
do
  local call, now = redis.call, tonumber(ARGV[1])
  if not now then
    local t = call('TIME')
    now = t[1] * 1000 + math.floor(t[2] / 1000)
  end
  local version = call('HGET', KEYS[1], 'v')
  if version and version ~= '1' then return redis.error_reply('LONGSHORE newer layout ' .. version) end
  -- A lane that is no stream fails here, so that what cannot be stored is not noted as stored.
  for lane in string.gmatch(ARGV[5], '%d') do call('XLEN', KEYS[2 + tonumber(lane)]) end
  local until_now = string.format('%.0f', now)
  if call('ZCOUNT', KEYS[8], '-inf', until_now) == 0 then
    if not version then call('HSET', KEYS[1], 'v', '1') end
    call('HSET', KEYS[20], ARGV[3] % 64, ARGV[3] .. ':')
    call('PEXPIRE', KEYS[20], 600000)
    local left = math.ceil(ARGV[4] / 16)
    while left > 0 do
      local popped = call('ZPOPMAX', KEYS[17])
      if not popped[1] then break end
      if tonumber(popped[2]) >= now then
        call('PUBLISH', popped[1], ARGV[2])
        left = left - 1
      end
    end
    return {until_now, version and 0 or 1, ''}
  end
end
