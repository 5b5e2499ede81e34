-- Cancels or reschedules messages that are not leased, each at a place that find told.
-- ARGV: now, queue, 'cancel' or due, then 3 for each: section, place, id (16 bytes)
-- Reply: '1' done, 'l' leased, '0' not there (any more) for each.
local now, queue, what = clock(ARGV[1]), ARGV[2], ARGV[3]
local out = {}

-- The run that came back with this entry, its member and the segment that had it ('' if it was
-- released); nothing while a lease holds it.
local function came_back(lane, entry)
  for _, member in ipairs(call('ZRANGEBYLEX', K.e, '[' .. lane .. ' ', '(' .. lane .. '!')) do
    local run, segment = parse_returned(member)
    if in_run(run, entry) then return run, member, segment end
  end
end

-- Takes an entry from the segment whose lease on it ended.
local function take_from(segment, lane, entry)
  local runs = runs_of(call('HGET', K.h, segment) or '')
  for index, run in ipairs(runs) do
    if run.lane == lane and in_run(run, entry) then
      hole(segment, runs, index, entry)
      call('HINCRBY', K.c, 'f', -1)
      return
    end
  end
end

local function take_ready(section, place, id)
  local found = call('XRANGE', S[section], place, place)[1]
  if not found then return nil, '0' end
  local row = row_of(section, found[2])
  if row.i ~= id then return nil, '0' end
  row.adm = row.g ~= ''
  if id_less(call('HGET', K.c, 'cur' .. section) or '0-0', place) then
    call('XDEL', S[section], place)
    return row
  end
  local run, member, segment = came_back(section, place)
  if not run then return nil, 'l' end
  row.a = row.a + run.base
  if run.flags ~= '' then row.cp = call('HGET', K.o, section .. place) or row.cp end
  call('HDEL', K.o, section .. place)
  call('XDEL', S[section], place)
  if segment ~= '' then
    -- It was delivered: put off it keeps the head of its group, as one in back-off does.
    row.backs_off = true
    take_from(segment, section, place)
  elseif run.from == place and run.to == place then
    call('ZREM', K.e, member)
  end
  return row
end

local function take_row(section, place, id)
  local key = section == 'g' and string.sub(place, -16) or place
  local bytes = call('HGET', K.b, key)
  local row = bytes and unpack_row(bytes)
  if not row or row.i ~= id then return nil, '0' end
  row.backs_off = section == 'z' and tonumber(call('ZSCORE', K.z, place) or 0) > now
  local gone = section == 'g' and call('ZREM', K.gw, place) or call('ZREM', K.z, place)
  if gone == 0 then return nil, '0' end
  call('HDEL', K.b, key)
  call('ZREM', K.nv, key)
  return row
end

local function put_back(row, due)
  local admitted = row.adm
  row.flags = string.gsub(row.flags, 'n', '')
  if due > now then
    -- A head that is ready gives its place to the next; one in back-off keeps it.
    row.adm = admitted and row.backs_off
    delay(row, due)
    if admitted and not row.adm then successor(row.g) end
  else
    row.due = due
    admit(row, due)
  end
end

lapse(now, 1000)
-- Members of a group that fell due go before one that is put among them now.
local moved = {}
promote(now, 1000, moved)
for i = 4, #ARGV, 3 do
  local section, place, id = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if section == 'z' and moved[place] then section, place = moved[place][1], moved[place][2] end
  local row, why
  if S[section] then row, why = take_ready(section, place, id) else row, why = take_row(section, place, id) end
  if row then
    if what == 'cancel' then
      forget(row)
      drop_body(row)
      if row.adm then successor(row.g) end
    else
      put_back(row, resolve(what, now))
    end
  end
  out[#out + 1] = row and '1' or why
end
wake(queue, now)
return table.concat(out)
