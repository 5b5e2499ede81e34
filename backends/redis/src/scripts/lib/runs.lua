-- Segments: runs of entries that one receive leased.

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

-- Leases that ended: their runs come back, ahead of what was never handed out. Until they are
-- taken over their segments still speak for them.
local function lapse(now, max)
  for _, segment in ipairs(call('ZRANGEBYSCORE', K.l, '-inf', ms(now), 'LIMIT', 0, max)) do
    local runs = call('HGET', K.h, segment)
    call('ZREM', K.l, segment)
    for _, run in ipairs(runs_of(runs or '')) do
      call('ZADD', K.e, 0, returned(run, run.base + 1, segment))
    end
  end
end
