-- Groups: one member is admitted, the others wait beside the streams. And what falls due.

-- Makes a due row ready, or a waiting member of its group. Answers where it lies now: section, place.
local function admit(row, due)
  local key = row.g ~= '' and name_row(row)
  if key and not row.adm and call('HSETNX', K.ga, row.g, '1:0') == 0 then
    local member = backlog(row.g, due, key)
    keep_row(key, row)
    call('ZADD', K.gw, 0, member)
    return 'g', member
  end
  row.adm = nil
  return row.lane, add_ready(row)
end

-- The head of this group is gone: the next member comes, or the group is free.
local function successor(group)
  if group == '' then return end
  local parks = tonumber(string.match(call('HGET', K.ga, group) or '', ':(%d+)$') or 0)
  if parks > 0 then call('HSET', K.ga, group, ':' .. parks) return end
  local member = call('ZRANGEBYLEX', K.gw, '[' .. group .. '\0', '(' .. group .. '\1', 'LIMIT', 0, 1)[1]
  if not member then call('HDEL', K.ga, group) return end
  local key = string.sub(member, -16)
  local bytes = call('HGET', K.b, key)
  call('ZREM', K.gw, member)
  call('HDEL', K.b, key)
  call('HSET', K.ga, group, '1:0')
  if bytes then add_ready(unpack_row(bytes)) else call('HDEL', K.ga, group) end
end

-- One more (1) or one fewer (-1) dead member parks the group. Answers whether the group is free
-- for a next head.
local function park(group, change)
  local head, parks = string.match(call('HGET', K.ga, group) or ':0', '^(1?):(%d+)$')
  parks = math.max(tonumber(parks) + change, 0)
  call('HSET', K.ga, group, head .. ':' .. parks)
  call('HINCRBY', K.c, 'parked', change)
  return head == '' and parks == 0
end

-- Due rows become ready, at most `max` of them; `moved` learns where each went.
local function promote(now, max, moved)
  local due = call('ZRANGEBYSCORE', K.z, '-inf', ms(now), 'WITHSCORES', 'LIMIT', 0, max)
  for i = 1, #due, 2 do
    local bytes = call('HGET', K.b, due[i])
    call('ZREM', K.z, due[i])
    call('HDEL', K.b, due[i])
    if bytes then
      local row = unpack_row(bytes)
      if has(row, 'n') then
        row.flags = string.gsub(row.flags, 'n', '')
        call('ZREM', K.nv, due[i])
      end
      local section, place = admit(row, tonumber(due[i + 1]))
      if moved then moved[due[i]] = {section, place} end
    end
  end
end

-- Wakes sleeping receivers, one for each 16 rows that became ready.
local function wake(queue, now, everyone)
  if ready == 0 and not everyone then return end
  wake_some(K.w, queue, now, everyone and 1000 or math.ceil(ready / 16))
end

-- Delayed rows after "score row" ('' at the start): row, score...
local function delayed_after(from, max)
  if from == '' then return call('ZRANGE', K.z, 0, max - 1, 'WITHSCORES') end
  local score, last = string.match(from, '^(%S+) (%S+)$')
  local rank = call('ZRANK', K.z, last)
  if rank then return call('ZRANGE', K.z, rank + 1, rank + max, 'WITHSCORES') end
  local start = call('ZCOUNT', K.z, '-inf', '(' .. score)
  while true do
    local row = call('ZRANGE', K.z, start, start, 'WITHSCORES')
    if not row[1] or row[2] ~= score or row[1] > last then break end
    start = start + 1
  end
  return call('ZRANGE', K.z, start, start + max - 1, 'WITHSCORES')
end
