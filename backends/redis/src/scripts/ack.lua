-- Acks plain messages: no group, no tracked id, no checkpoint beside the entry, no large body.
-- KEYS: c, s0, s1, s2, l, h.  ARGV: for each segment: segment, lane, count, entries...
-- Reply: 1 if all are applied, else '1' or '0' for each entry in order.
-- Cost: 4 to 5 calls a segment.
local call = redis.call
local out, lost, gone, i = {}, false, 0, 1

local function less(a, b)
  local a1, a2 = string.match(a, '(%d+)%-(%d+)')
  local b1, b2 = string.match(b, '(%d+)%-(%d+)')
  a1, b1 = tonumber(a1), tonumber(b1)
  return a1 < b1 or (a1 == b1 and tonumber(a2) < tonumber(b2))
end

-- Whether an entry still lies in one of the runs of a segment that was split.
local function in_runs(text, want, id)
  for lane, from, to in string.gmatch(text, '(%d),([^,]*),([^,]*),%d+,%a*') do
    if lane == want then
      local open_from, open_to = string.sub(from, 1, 1) == '(', string.sub(to, 1, 1) == '('
      local a, b = open_from and string.sub(from, 2) or from, open_to and string.sub(to, 2) or to
      if (id == a and not open_from) or (id == b and not open_to) or (less(a, id) and less(id, b)) then return true end
    end
  end
  return false
end

-- What is gone already while its segment is held was acked by the same holder.
local function remove(segment, lane, unsettled, ...)
  local removed = call('XDEL', KEYS[2 + lane], ...)
  gone = gone + removed
  if removed >= tonumber(unsettled) then
    call('HDEL', KEYS[6], segment, segment .. '#')
    call('ZREM', KEYS[5], segment)
  elseif removed > 0 then
    call('HINCRBY', KEYS[6], segment .. '#', -removed)
  end
end

while i <= #ARGV do
  local segment, lane, count = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local row = call('HMGET', KEYS[6], segment, segment .. '#')
  local first, last = i + 3, i + 2 + count
  if row[1] and string.byte(row[1]) == 61 then
    -- '=': never split, so it speaks for all that were received with it.
    remove(segment, lane, row[2], unpack(ARGV, first, last))
    out[#out + 1] = string.rep('1', count)
  else
    local ids = {}
    for j = first, last do
      local held = row[1] and in_runs(row[1], lane, ARGV[j])
      if held then ids[#ids + 1] = ARGV[j] else lost = true end
      out[#out + 1] = held and '1' or '0'
    end
    if #ids > 0 then remove(segment, lane, row[2], unpack(ids)) end
  end
  i = last + 1
end
if gone > 0 then call('HINCRBY', KEYS[1], 'f', -gone) end
if lost then return table.concat(out) end
return 1
