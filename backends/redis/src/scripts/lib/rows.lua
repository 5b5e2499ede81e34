-- Rows: a message with what changes beside it, in a stream or packed beside the streams.

-- A due time of a call: "+ms" from now, "ms" at that time.
local function resolve(due, now)
  if string.sub(due, 1, 1) == '+' then return math.min(now + tonumber(string.sub(due, 2)), 253402300799999) end
  return tonumber(due)
end

-- A message with what changes beside it: i id (16 bytes), h head, b body, r history, k checkpoint. Control data `m` is "attempts recorded due flags
-- sequence length-of-group:group dedup-key"; sequence orders a group; flags: t id is tracked in k, x the body lies in p:<body>.
local function read_m(row, m)
  local a, r, due, flags, q, n, rest = string.match(m, '^(%d+) (%d+) (%d+) (%a*) (%d+) (%d+):(.*)$')
  row.q = tonumber(q or 0)
  row.a, row.rec, row.due, row.flags = tonumber(a or 0), tonumber(r or 0), tonumber(due or 0), flags or ''
  n = tonumber(n or 0)
  row.g, row.k = string.sub(rest or '', 1, n), string.sub(rest or '', n + 1)
  return row
end

local function write_m(row)
  return fmt('%d %d %.0f %s %d %d:', row.a, row.rec, row.due, row.flags, row.q or 0, #row.g) .. row.g .. row.k
end

local function is_plain(row)
  return row.a == 0 and row.rec == 0 and row.due == 0 and row.flags == '' and row.g == '' and
         row.k == '' and row.hist == '' and row.cp == ''
end

-- The row of a stream entry's fields.
local function row_of(lane, fields)
  local f = {}
  for i = 1, #fields, 2 do f[fields[i]] = fields[i + 1] end
  local row = read_m({lane = lane, i = f.i or '', h = f.h or '', b = f.b or '', hist = f.r or '', cp = f.k or ''},
                     f.m or '0 0 0  0 0:')
  return row, f
end

local function pack(row)
  return cmsgpack.pack({row.lane, write_m(row), row.hist, row.cp, row.h, row.b, row.adm and 1 or 0, row.i})
end

local function unpack_row(bytes)
  local p = cmsgpack.unpack(bytes)
  local row = read_m({lane = p[1], hist = p[3], cp = p[4], h = p[5], b = p[6], i = p[8]}, p[2])
  row.adm = p[7] == 1
  return row
end

local function has(row, flag) return string.find(row.flags, flag, 1, true) ~= nil end

local function id_text(id)
  local hex = string.gsub(id, '.', function(c) return fmt('%02x', string.byte(c)) end)
  return (string.gsub(hex, '^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)', '%1-%2-%3-%4-'))
end

local ready = 0   -- how many rows this call made ready: so many sleepers may be worth waking

local function add_ready(row)
  ready = ready + 1
  if is_plain(row) then return call('XADD', S[row.lane], '*', 'i', row.i, 'h', row.h, 'b', row.b) end
  if row.hist == '' and row.cp == '' then
    return call('XADD', S[row.lane], '*', 'i', row.i, 'm', write_m(row), 'h', row.h, 'b', row.b)
  end
  return call('XADD', S[row.lane], '*', 'i', row.i, 'm', write_m(row), 'r', row.hist, 'k', row.cp, 'h', row.h, 'b', row.b)
end

-- The name of a row beside the streams: its place among rows of the same time. A member of a group
-- keeps its own for life.
local function name_row(row)
  if row.q ~= nil and row.q > 0 then return fmt('%016d', row.q) end
  local number = call('HINCRBY', K.c, 'seq', 1)
  if row.g ~= '' then row.q = number end
  return fmt('%016d', number)
end

local function backlog(group, due, row) return fmt('%s\0%016.0f', group, due) .. row end

local function keep_row(key, row)
  call('HSET', K.b, key, pack(row))
end

local function delay(row, due)
  local key = name_row(row)
  row.due = due
  keep_row(key, row)
  call('ZADD', K.z, ms(due), key)
  if call('ZRANGE', K.z, 0, 0)[1] == key then ready = math.max(ready, 1) end
  return key
end
