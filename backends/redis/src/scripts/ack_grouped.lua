-- Acks plain messages and members of groups whose names the receipts tell: no tracked id, no
-- checkpoint beside the entry, no large body.
-- KEYS: c, s0, s1, s2, l, h, z, b, gw, ga, w.
-- ARGV: now, queue, then for each segment: segment, lane, count, then entry and group for each
-- Reply: '1' or '0' for each, or 0 where rows are due that go before those that wait.
-- Cost: for each message XDEL, ZRANGEBYLEX and XADD; about 12 calls for the batch.
local call, now = redis.call, tonumber(ARGV[1])
if not now then
  local t = call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end
if call('ZCOUNT', KEYS[7], '-inf', string.format('%.0f', now)) > 0 then return 0 end
local out, gone, groups, seen, i = {}, 0, {}, {}, 3

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

while i <= #ARGV do
  local segment, lane, count = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local row, stream, removed = call('HMGET', KEYS[6], segment, segment .. '#'), KEYS[2 + tonumber(lane)], 0
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
      call('HDEL', KEYS[6], segment, segment .. '#')
      call('ZREM', KEYS[5], segment)
    else
      call('HINCRBY', KEYS[6], segment .. '#', -removed)
    end
  end
  gone, i = gone + removed, i + 3 + 2 * count
end

-- The heads of these groups are gone: the next of each comes, or the group is free.
local function admit_next()
  local states = call('HMGET', KEYS[10], unpack(groups))
  local members, rows, free, set = {}, {}, {}, {}
  for n, group in ipairs(groups) do
    local head, parks = string.match(states[n] or '', '^(1?):(%d+)$')
    if tonumber(parks or 0) > 0 then
      set[#set + 1], set[#set + 2] = group, ':' .. parks
    else
      local next_one = call('ZRANGEBYLEX', KEYS[9], '[' .. group .. '\0', '(' .. group .. '\1', 'LIMIT', 0, 1)[1]
      if next_one then
        members[#members + 1], rows[#rows + 1] = next_one, string.sub(next_one, -16)
        if head ~= '1' then set[#set + 1], set[#set + 2] = group, '1:0' end
      else
        free[#free + 1] = group
      end
    end
  end
  if #set > 0 then call('HSET', KEYS[10], unpack(set)) end
  if #free > 0 then call('HDEL', KEYS[10], unpack(free)) end
  if #rows == 0 then return 0 end
  local packed = call('HMGET', KEYS[8], unpack(rows))
  call('ZREM', KEYS[9], unpack(members))
  call('HDEL', KEYS[8], unpack(rows))
  for n, bytes in ipairs(packed) do
    -- Row as packed: lane, control data, history, checkpoint, head, body, admitted, id.
    local p = bytes and cmsgpack.unpack(bytes)
    if not p then
      call('HDEL', KEYS[10], string.sub(members[n], 1, -34))
    elseif p[3] == '' and p[4] == '' then
      call('XADD', KEYS[2 + tonumber(p[1])], '*', 'i', p[8], 'm', p[2], 'h', p[5], 'b', p[6])
    else
      call('XADD', KEYS[2 + tonumber(p[1])], '*', 'i', p[8], 'm', p[2], 'r', p[3], 'k', p[4], 'h', p[5], 'b', p[6])
    end
  end
  return #rows
end

if gone > 0 then call('HINCRBY', KEYS[1], 'f', -gone) end
local left = #groups > 0 and math.ceil(admit_next() / 16) or 0
while left > 0 do
  local popped = call('ZPOPMAX', KEYS[11])
  if not popped[1] then break end
  if tonumber(popped[2]) >= now then
    call('PUBLISH', popped[1], ARGV[2])
    left = left - 1
  end
end
return table.concat(out)
