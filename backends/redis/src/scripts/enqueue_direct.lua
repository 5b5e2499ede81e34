-- Goes first in a transaction whose bare XADDs store a batch of plain messages. It does for them what
-- enqueue_plain.lua does around its own, and more: what fell due is made ready before them.
-- ARGV: now, queue, producer's batch number, how many follow, their lanes (digits)
-- KEYS: those of every script, then the producer's.
-- Reply: {now, 1 if the queue is new, ''}
-- Cost: 6 to 7 calls for the batch.
do
  local counters, delayed, sleepers, producer = KEYS[1], KEYS[8], KEYS[17], KEYS[20]
  local now, queue, number, count, lanes = clock(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
  local version = call('HGET', counters, 'v')
  local refusal = newer_layout(version)
  if refusal then return refusal end
  -- A lane that is no stream fails here, so that what cannot be stored is not noted as stored.
  for lane in string.gmatch(lanes, '%d') do call('XLEN', KEYS[2 + tonumber(lane)]) end
  if call('ZCOUNT', delayed, '-inf', ms(now)) == 0 then
    if not version then call('HSET', counters, 'v', '1') end
    call('HSET', producer, number % 64, number .. ':')
    call('PEXPIRE', producer, 600000)
    wake_some(sleepers, queue, now, math.ceil(count / 16))
    return {ms(now), version and 0 or 1, ''}
  end
end
