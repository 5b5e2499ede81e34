-- Acks plain messages: no group, no tracked id, no checkpoint beside the entry, no large body.
-- KEYS: c, s0, s1, s2, l, h.  ARGV: for each segment: segment, lane, count, entries...
-- Reply: 1 if all are applied, else '1' or '0' for each entry in order.
-- Cost: 4 to 5 calls a segment.
local counters, leases, segments = KEYS[1], KEYS[5], KEYS[6]
local out, lost, gone, i = {}, false, 0, 1

-- What is gone already while its segment is held was acked by the same holder.
local function remove(segment, lane, unsettled, ...)
  local removed = call('XDEL', KEYS[2 + lane], ...)
  gone = gone + removed
  if removed >= tonumber(unsettled) then
    call('HDEL', segments, segment, segment .. '#')
    call('ZREM', leases, segment)
  elseif removed > 0 then
    call('HINCRBY', segments, segment .. '#', -removed)
  end
end

while i <= #ARGV do
  local segment, lane, count = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local row = call('HMGET', segments, segment, segment .. '#')
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
if gone > 0 then call('HINCRBY', counters, 'f', -gone) end
if lost then return table.concat(out) end
return 1
