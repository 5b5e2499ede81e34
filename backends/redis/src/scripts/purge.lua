-- Removes messages that nobody works on, those behind a head first.
-- ARGV: now, queue, how many.  Reply: {removed, 1 if there is more}
local now, queue, max = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local removed = 0

local function remove(row)
  forget(row)
  drop_body(row)
  removed = removed + 1
end

local function packed(key)
  local bytes = call('HGET', K.b, key)
  call('HDEL', K.b, key)
  call('ZREM', K.nv, key)
  return bytes and unpack_row(bytes)
end

for _, member in ipairs(call('ZRANGE', K.gw, 0, max - 1)) do
  call('ZREM', K.gw, member)
  local row = packed(string.sub(member, -16))
  if row then remove(row) end
end
if removed < max then
  for _, key in ipairs(call('ZRANGE', K.z, 0, max - removed - 1)) do
    call('ZREM', K.z, key)
    local row = packed(key)
    if row then
      remove(row)
      if row.adm then successor(row.g) end
    end
  end
end

local function purge_entries(lane, entries, checkpoints)
  for _, entry in ipairs(entries) do
    local row = row_of(lane, entry[2])
    call('XDEL', S[lane], entry[1])
    if checkpoints then call('HDEL', K.o, lane .. entry[1]) end
    remove(row)
    successor(row.g)
  end
end

-- What a segment had whose lease ended; `all` if nothing of the run is left.
local function forget_run(segment, run, gone, all)
  if gone > 0 then call('HINCRBY', K.c, 'f', -gone) end
  local kept = {}
  for _, held in ipairs(runs_of(call('HGET', K.h, segment) or '')) do
    local same = held.lane == run.lane and held.from == run.from and held.to == run.to
    if not (all and same) then kept[#kept + 1] = held end
  end
  if #kept == 0 then drop_segment(segment) return end
  store_runs(segment, kept)
  count_down(segment, gone)
end

lapse(now, 1000)
for _, member in ipairs(call('ZRANGE', K.e, 0, -1)) do
  local run, segment = parse_returned(member)
  if removed < max then
    local entries = call('XRANGE', S[run.lane], run.from, run.to, 'COUNT', max - removed)
    purge_entries(run.lane, entries, true)
    local all = #call('XRANGE', S[run.lane], run.from, run.to, 'COUNT', 1) == 0
    if all then call('ZREM', K.e, member) end
    if segment ~= '' then forget_run(segment, run, #entries, all) end
  end
end
local more = (call('ZCARD', K.e) > 0 or call('ZCOUNT', K.l, '-inf', ms(now)) > 0) and 1 or 0
for lane = 0, 2 do
  lane = tostring(lane)
  local cursor = '(' .. (call('HGET', K.c, 'cur' .. lane) or '0-0')
  if removed < max then
    purge_entries(lane, call('XRANGE', S[lane], cursor, '+', 'COUNT', max - removed))
  end
  if #call('XRANGE', S[lane], cursor, '+', 'COUNT', 1) > 0 then more = 1 end
end
if call('ZCARD', K.gw) > 0 or call('ZCARD', K.z) > 0 then more = 1 end
wake(queue, now)
return {removed, more}
