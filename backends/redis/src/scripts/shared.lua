-- What every script of a partition shares. The keys come in this order, in every script:
--   c   hash: lane cursors cur0..cur2, in-flight count f, turn, row sequence seq, pause, moving,
--       layout version v, parked count
--   s0 s1 s2  streams, one a lane: ready and leased bodies
--   l   zset: segment -> end of its lease in ms
--   h   hash: segment -> its runs, segment# -> how many of its entries are unsettled
--   e   zset, all scores 0: runs that came back (released, or their lease ended), by position
--   z   zset: row -> due ms (delayed and back-off)          b  hash: row -> packed row
--   gw  zset, all scores 0: members waiting behind another of their group
--   ga  hash: group -> "1" if a member is admitted, ":" and how many dead members park it
--   d   stream: dead letters     di  hash: message id -> its entry in d
--   k   zset: "i" id or "d" dedup key -> recognised until   kh  hash: dedup key -> first id
--   o   hash: lane and entry -> checkpoint of an entry that was released where it lay
--   w   zset: sleeping receivers -> until       nv  zset: row of a newer version -> due
--   p   prefix of the keys that hold large bodies (p:<name>)
local K = {}
for i, name in ipairs({'c', 's0', 's1', 's2', 'l', 'h', 'e', 'z', 'b', 'gw', 'ga', 'd', 'di', 'k',
                       'kh', 'o', 'w', 'nv', 'p'}) do
  K[name] = KEYS[i]
end
local S = {['0'] = K.s0, ['1'] = K.s1, ['2'] = K.s2}
local call, fmt = redis.call, string.format
local INF = '+inf'

-- What a newer longshore laid out is left alone by every script.
local layout = call('HGET', K.c, 'v')
if layout and layout ~= '1' then return redis.error_reply('LONGSHORE newer layout ' .. layout) end

-- The time in ms: the injected one, or the server's.
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function ms(number) return fmt('%.0f', number) end

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

local function drop_body(row)
  if has(row, 'x') then call('UNLINK', K.p .. row.b) end
end

local function forget(row)
  if has(row, 't') then call('ZREM', K.k, 'i' .. row.i) end
  if row.k ~= '' and call('HGET', K.kh, row.k) == row.i then
    call('ZREM', K.k, 'd' .. row.k)
    call('HDEL', K.kh, row.k)
  end
end

-- Wakes sleeping receivers, one for each 16 rows that became ready.
local function wake(queue, now, everyone)
  if ready == 0 and not everyone then return end
  local left = everyone and 1000 or math.ceil(ready / 16)
  while left > 0 do
    local popped = call('ZPOPMAX', K.w)
    if not popped[1] then return end
    if tonumber(popped[2]) >= now then
      call('PUBLISH', popped[1], queue)
      left = left - 1
    end
  end
end

-- Runs: "lane,from,to,base,flags" joined by ";", bounds as XRANGE takes them.
local function runs_of(text)
  local runs = {}
  for lane, from, to, base, flags in string.gmatch(text, '(%d),([^,]*),([^,]*),(%d+),(%a*)') do
    runs[#runs + 1] = {lane = lane, from = from, to = to, base = tonumber(base), flags = flags}
  end
  return runs
end

local function runs_text(runs)
  local parts = {}
  for i, r in ipairs(runs) do parts[i] = fmt('%s,%s,%s,%d,%s', r.lane, r.from, r.to, r.base, r.flags) end
  return table.concat(parts, ';')
end

local function id_parts(id)
  local open, a, b = string.match(id, '^(%(?)(%d+)%-(%d+)$')
  return tonumber(a), tonumber(b), open == '('
end

local function id_less(a, b)            -- strictly, without bounds
  local a1, a2 = id_parts(a)
  local b1, b2 = id_parts(b)
  return a1 < b1 or (a1 == b1 and a2 < b2)
end

local function in_run(run, id)
  local plain_from, plain_to = string.gsub(run.from, '%(', ''), string.gsub(run.to, '%(', '')
  if id == plain_from then return string.sub(run.from, 1, 1) ~= '(' end
  if id == plain_to then return string.sub(run.to, 1, 1) ~= '(' end
  return id_less(plain_from, id) and id_less(id, plain_to)
end

-- The member of e for a run that came back; `base` is the number of deliveries to add then.
local function returned(run, base, segment)
  local a, b, open = id_parts(run.from)
  if open then b = b + 1 end
  return fmt('%s %015.0f-%012.0f,%s,%s,%d,%s,%s', run.lane, a, b, run.from, run.to, base, run.flags, segment)
end

local function parse_returned(member)
  local lane, from, to, base, flags, segment =
    string.match(member, '^(%d) [^,]*,([^,]*),([^,]*),(%d+),(%a*),(.*)$')
  return {lane = lane, from = from, to = to, base = tonumber(base), flags = flags}, segment
end

local function drop_segment(segment)
  call('HDEL', K.h, segment, segment .. '#')
  call('ZREM', K.l, segment)
end

local function count_down(segment, count)
  if count == 0 then return end   -- minus nothing is not an integer to the server
  if call('HINCRBY', K.h, segment .. '#', -count) <= 0 then drop_segment(segment) end
end

-- The state of the segment as "=runs" (never split) or "/runs".
local function store_runs(segment, runs)
  call('HSET', K.h, segment, '/' .. runs_text(runs))
end

-- Takes the entry out of its segment's runs, so that the segment no longer speaks for it.
local function hole(segment, runs, index, entry)
  local run = runs[index]
  local came_back = not call('ZSCORE', K.l, segment)
  if came_back then call('ZREM', K.e, returned(run, run.base + 1, segment)) end
  table.remove(runs, index)
  local function keep(from, to)
    local part = {lane = run.lane, from = from, to = to, base = run.base, flags = run.flags}
    if #call('XRANGE', S[run.lane], from, to, 'COUNT', 1) == 0 then return end
    runs[#runs + 1] = part
    if came_back then call('ZADD', K.e, 0, returned(part, part.base + 1, segment)) end
  end
  if run.to ~= entry then keep('(' .. entry, run.to) end
  if run.from ~= entry then keep(run.from, '(' .. entry) end
  if #runs == 0 then drop_segment(segment) return end
  store_runs(segment, runs)
  count_down(segment, 1)
end

-- Leases that ended: their runs come back, ahead of what was never handed out. Until somebody
-- takes them over their segments still speak for them.
local function lapse(now, max)
  for _, segment in ipairs(call('ZRANGEBYSCORE', K.l, '-inf', ms(now), 'LIMIT', 0, max)) do
    local runs = call('HGET', K.h, segment)
    call('ZREM', K.l, segment)
    for _, run in ipairs(runs_of(runs or '')) do
      call('ZADD', K.e, 0, returned(run, run.base + 1, segment))
    end
  end
end

local function append_record(hist, record)
  if record == '' then return hist end
  if hist == '' then return record end
  local lines = {}
  for line in string.gmatch(hist, '[^\n]+') do lines[#lines + 1] = line end
  if #lines > 15 then table.remove(lines, 2) end
  lines[#lines + 1] = record
  return table.concat(lines, '\n')
end

-- Adds a dead letter.
local function entomb(row, reason, error, parks, at)
  local id = id_text(row.i)
  local entry = call('XADD', K.d, '*', 'id', id, 'w', reason, 'e', error, 't', at, 'g', parks and '1' or '0',
    'l', row.lane, 'i', row.i, 'm', write_m(row), 'r', row.hist, 'k', row.cp, 'h', row.h, 'b', row.b)
  call('HSET', K.di, id, entry)
  if parks then park(row.g, 1) end
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
