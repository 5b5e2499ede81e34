-- Stores messages that are due and have no given id, no dedup key and no large body; a group or not.
-- KEYS: c, s0, s1, s2, w, producer, z, b, gw, ga.
-- ARGV: now, queue, producer's batch number, 'r' if this is a repeat, then 5 for each: lane, group,
--   id, head, body
-- Reply: {now, 1 if the queue is new, ''}, or 0 where rows are due that go first.
-- Cost: one XADD for each head and plain message; what waits behind a head costs 2 calls a batch.
local call, fmt = redis.call, string.format
local now = tonumber(ARGV[1])
if not now then
  local t = call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end
local now_text = fmt('%.0f', now)
local C = call('HMGET', KEYS[1], 'v', 'seq')
if C[1] and C[1] ~= '1' then return redis.error_reply('LONGSHORE newer layout ' .. C[1]) end
if ARGV[4] ~= '' and call('HGET', KEYS[6], ARGV[3] % 64) == ARGV[3] .. ':' then
  -- Something must be written: whoever waits for replicas now waits for what came before, too.
  call('PEXPIRE', KEYS[6], 600000)
  return {now_text, 0, ''}
end
if call('ZCOUNT', KEYS[7], '-inf', now_text) > 0 then return 0 end

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
  for n, state in ipairs(call('HMGET', KEYS[10], unpack(names))) do busy[names[n]] = state ~= false end
end

local sequence, ready = tonumber(C[2] or 0), 0
local rows, members, heads = {}, {}, {}
local stamp, packed = fmt('\0%016.0f', now), {'', '', '', '', '', '', 0, ''}
for i = 5, #ARGV, 5 do
  local lane, group = ARGV[i], ARGV[i + 1]
  if group == '' then
    ready = ready + 1
    call('XADD', KEYS[2 + tonumber(lane)], '*', 'i', ARGV[i + 2], 'h', ARGV[i + 3], 'b', ARGV[i + 4])
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
      call('XADD', KEYS[2 + tonumber(lane)], '*', 'i', ARGV[i + 2], 'm', m, 'h', ARGV[i + 3], 'b', ARGV[i + 4])
    end
  end
end
call('HSET', KEYS[1], 'v', '1', 'seq', fmt('%.0f', sequence))
if #heads > 0 then call('HSET', KEYS[10], unpack(heads)) end
if #rows > 0 then
  call('HSET', KEYS[8], unpack(rows))
  call('ZADD', KEYS[9], unpack(members))
end
call('HSET', KEYS[6], ARGV[3] % 64, ARGV[3] .. ':')
call('PEXPIRE', KEYS[6], 600000)
local left = math.ceil(ready / 16)
while left > 0 do
  local popped = call('ZPOPMAX', KEYS[5])
  if not popped[1] then break end
  if tonumber(popped[2]) >= now then
    call('PUBLISH', popped[1], ARGV[2])
    left = left - 1
  end
end
return {now_text, C[1] and 0 or 1, ''}
