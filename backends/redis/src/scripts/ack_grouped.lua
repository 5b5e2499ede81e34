-- Acks plain messages and members of groups whose names the receipts tell: no tracked id, no
-- checkpoint beside the entry, no large body.
-- KEYS: c, s0, s1, s2, l, h, z, b, gw, ga, w.
-- ARGV: now, queue, then for each segment: segment, lane, count, then entry and group for each
-- Reply: '1' or '0' for each, or 0 where rows are due that go before those that wait.
-- Cost: for each message XDEL, ZRANGEBYLEX and XADD; about 12 calls for the batch.
local counters, leases, segments, delayed = KEYS[1], KEYS[5], KEYS[6], KEYS[7]
local packed_rows, waiting, admitted, sleepers = KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local now, queue = clock(ARGV[1]), ARGV[2]
local function stream_of(lane) return KEYS[2 + tonumber(lane)] end
if call('ZCOUNT', delayed, '-inf', ms(now)) > 0 then return 0 end
local out, gone, groups, seen, i = {}, 0, {}, {}, 3

while i <= #ARGV do
  local segment, lane, count = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local row, stream, removed = call('HMGET', segments, segment, segment .. '#'), stream_of(lane), 0
  for j = i + 3, i + 1 + 2 * count, 2 do
    local held = row[1] and (string.sub(row[1], 1, 1) == '=' or in_runs(row[1], lane, ARGV[j]))
    -- What is gone already while its segment is held was acked by the same holder.
    if held and call('XDEL', stream, ARGV[j]) == 1 then
      removed = removed + 1
      local group = ARGV[j + 1]
      if group ~= '' and not seen[group] then groups[#groups + 1], seen[group] = group, true end
    end
    out[#out + 1] = held and '1' or '0'
  end
  if removed > 0 then
    if removed >= tonumber(row[2]) then
      call('HDEL', segments, segment, segment .. '#')
      call('ZREM', leases, segment)
    else
      call('HINCRBY', segments, segment .. '#', -removed)
    end
  end
  gone, i = gone + removed, i + 3 + 2 * count
end

-- The heads of these groups are gone: the next of each comes, or the group is free.
local function admit_next()
  local states = call('HMGET', admitted, unpack(groups))
  local members, rows, free, set = {}, {}, {}, {}
  for n, group in ipairs(groups) do
    local head, parks = string.match(states[n] or '', '^(1?):(%d+)$')
    if tonumber(parks or 0) > 0 then
      set[#set + 1], set[#set + 2] = group, ':' .. parks
    else
      local next_one = call('ZRANGEBYLEX', waiting, '[' .. group .. '\0', '(' .. group .. '\1', 'LIMIT', 0, 1)[1]
      if next_one then
        members[#members + 1], rows[#rows + 1] = next_one, string.sub(next_one, -16)
        if head ~= '1' then set[#set + 1], set[#set + 2] = group, '1:0' end
      else
        free[#free + 1] = group
      end
    end
  end
  if #set > 0 then call('HSET', admitted, unpack(set)) end
  if #free > 0 then call('HDEL', admitted, unpack(free)) end
  if #rows == 0 then return 0 end
  local packed = call('HMGET', packed_rows, unpack(rows))
  call('ZREM', waiting, unpack(members))
  call('HDEL', packed_rows, unpack(rows))
  for n, bytes in ipairs(packed) do
    -- Row as packed: lane, control data, history, checkpoint, head, body, admitted, id.
    local p = bytes and cmsgpack.unpack(bytes)
    if not p then
      call('HDEL', admitted, string.sub(members[n], 1, -34))
    elseif p[3] == '' and p[4] == '' then
      call('XADD', stream_of(p[1]), '*', 'i', p[8], 'm', p[2], 'h', p[5], 'b', p[6])
    else
      call('XADD', stream_of(p[1]), '*', 'i', p[8], 'm', p[2], 'r', p[3], 'k', p[4], 'h', p[5], 'b', p[6])
    end
  end
  return #rows
end

if gone > 0 then call('HINCRBY', counters, 'f', -gone) end
if #groups > 0 then wake_some(sleepers, queue, now, math.ceil(admit_next() / 16)) end
return table.concat(out)
