-- Stores messages that are due and have no given id, no dedup key and no large body; a group or not.
-- KEYS: c, s0, s1, s2, w, producer, z, b, gw, ga.
-- ARGV: now, queue, producer's batch number, 'r' if this is a repeat, then 5 for each: lane, group,
--   id, head, body
-- Reply: {now, 1 if the queue is new, ''}, or 0 where rows are due that go first.
-- Cost: one XADD for each head and plain message; what waits behind a head costs 2 calls a batch.
local counters, sleepers, producer, delayed = KEYS[1], KEYS[5], KEYS[6], KEYS[7]
local packed_rows, waiting, admitted = KEYS[8], KEYS[9], KEYS[10]
local now, queue, number, repeats = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local function stream_of(lane) return KEYS[2 + tonumber(lane)] end
local now_text = ms(now)
local C = call('HMGET', counters, 'v', 'seq')
local refusal = newer_layout(C[1])
if refusal then return refusal end
if repeats ~= '' and call('HGET', producer, number % 64) == number .. ':' then
  -- Something must be written: a call that waits for replicas now waits for what came before, too.
  call('PEXPIRE', producer, 600000)
  return {now_text, 0, ''}
end
if call('ZCOUNT', delayed, '-inf', now_text) > 0 then return 0 end

-- The groups of this batch that have a head, or are held.
local busy, names = {}, {}
for i = 6, #ARGV, 5 do
  local group = ARGV[i]
  if group ~= '' and busy[group] == nil then
    busy[group] = false
    names[#names + 1] = group
  end
end
if #names > 0 then
  for n, state in ipairs(call('HMGET', admitted, unpack(names))) do busy[names[n]] = state ~= false end
end

local sequence, ready = tonumber(C[2] or 0), 0
local rows, members, heads = {}, {}, {}
local stamp, packed = fmt('\0%016.0f', now), {'', '', '', '', '', '', 0, ''}
for i = 5, #ARGV, 5 do
  local lane, group = ARGV[i], ARGV[i + 1]
  if group == '' then
    ready = ready + 1
    call('XADD', stream_of(lane), '*', 'i', ARGV[i + 2], 'h', ARGV[i + 3], 'b', ARGV[i + 4])
  else
    sequence = sequence + 1
    local m = '0 0 0  ' .. fmt('%d', sequence) .. ' ' .. #group .. ':' .. group
    if busy[group] then
      local key = fmt('%016d', sequence)
      packed[1], packed[2], packed[5], packed[6], packed[8] = lane, m, ARGV[i + 3], ARGV[i + 4], ARGV[i + 2]
      rows[#rows + 1], rows[#rows + 2] = key, cmsgpack.pack(packed)
      members[#members + 1], members[#members + 2] = 0, group .. stamp .. key
    else
      busy[group] = true
      heads[#heads + 1], heads[#heads + 2] = group, '1:0'
      ready = ready + 1
      call('XADD', stream_of(lane), '*', 'i', ARGV[i + 2], 'm', m, 'h', ARGV[i + 3], 'b', ARGV[i + 4])
    end
  end
end
call('HSET', counters, 'v', '1', 'seq', fmt('%.0f', sequence))
if #heads > 0 then call('HSET', admitted, unpack(heads)) end
if #rows > 0 then
  call('HSET', packed_rows, unpack(rows))
  call('ZADD', waiting, unpack(members))
end
call('HSET', producer, number % 64, number .. ':')
call('PEXPIRE', producer, 600000)
wake_some(sleepers, queue, now, math.ceil(ready / 16))
return {now_text, C[1] and 0 or 1, ''}
