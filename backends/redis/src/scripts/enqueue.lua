-- Stores messages, judged in order.
-- ARGV: now, queue, depth limit ('' none), unused, batch number, 'r' if this may be a repeat,
--   then 9 for each: lane, due ms (0 = at once), flags, group, dedup key, dedup window ms,
--   id (16 bytes), head, body (or the name of a large one)
-- KEYS: those of every script, then the producer's, then the large bodies.
-- Reply: {now, 1 if the queue is new, outcomes}; outcomes: '' all stored, else 1 or 17 bytes for
--   each: 's' or 'd' and the first id.
local now, queue, producer, batch = clock(ARGV[1]), ARGV[2], KEYS[20], ARGV[5]
if ARGV[6] ~= '' then
  -- Sent before, answer lost: what it answered then.
  local before = string.match(call('HGET', producer, batch % 64) or '', '^' .. batch .. ':(.*)$')
  if before then
    -- Something must be written: a call that waits for replicas now waits for what came before, too.
    call('PEXPIRE', producer, 600000)
    return {ms(now), 0, before}
  end
end
local count = (#ARGV - 6) / 9
-- The first id where an id or a dedup key is still recognised.
local function known(flags, scope, id)
  if string.find(flags, 't', 1, true) then
    local till = call('ZSCORE', K.k, 'i' .. id)
    if till and tonumber(till) > now then return id end
  end
  if scope ~= '' then
    local till = call('ZSCORE', K.k, 'd' .. scope)
    if till and tonumber(till) > now then return call('HGET', K.kh, scope) or id end
  end
end

local function remember(flags, scope, window, id)
  if string.find(flags, 't', 1, true) then call('ZADD', K.k, INF, 'i' .. id) end
  if scope ~= '' then
    call('ZADD', K.k, ms(now + tonumber(window)), 'd' .. scope)
    call('HSET', K.kh, scope, id)
  end
end

local function forget_old(max)
  for _, member in ipairs(call('ZRANGEBYSCORE', K.k, '-inf', ms(now), 'LIMIT', 0, max)) do
    call('ZREM', K.k, member)
    if string.sub(member, 1, 1) == 'd' then call('HDEL', K.kh, string.sub(member, 2)) end
  end
end

local function store(i)
  local flags, due = ARGV[i + 2], tonumber(ARGV[i + 1])
  local row = {lane = ARGV[i], a = 0, rec = 0, due = 0, flags = flags, g = ARGV[i + 3], k = ARGV[i + 4],
               hist = '', cp = '', i = ARGV[i + 6], h = ARGV[i + 7], b = ARGV[i + 8]}
  remember(flags, row.k, ARGV[i + 5], ARGV[i + 6])
  if has(row, 'x') then call('PERSIST', K.p .. row.b) end
  if due > now then delay(row, due) else admit(row, due > 0 and due or now) end
end

-- How many of these are not known yet.
local function fresh()
  local seen, new = {}, 0
  for i = 7, #ARGV, 9 do
    local flags, scope, id = ARGV[i + 2], ARGV[i + 4], ARGV[i + 6]
    local twice = (string.find(flags, 't', 1, true) and seen['i' .. id]) or (scope ~= '' and seen['d' .. scope])
    if not twice and not known(flags, scope, id) then
      new = new + 1
      seen['i' .. id], seen['d' .. scope] = true, true
    end
  end
  return new
end

if ARGV[3] ~= '' then
  local depth = call('XLEN', K.s0) + call('XLEN', K.s1) + call('XLEN', K.s2) + call('ZCARD', K.z) + call('ZCARD', K.gw)
  local new = fresh()
  if depth + new > tonumber(ARGV[3]) then
    return redis.error_reply('LONGSHORE full ' .. depth)
  end
end

local out, keyed, duplicates = {}, false, false
if not layout then call('HSET', K.c, 'v', '1') end
if call('ZCARD', K.z) > 0 then promote(now, 1000) end
for i = 7, #ARGV, 9 do
  local first = known(ARGV[i + 2], ARGV[i + 4], ARGV[i + 6])
  keyed = keyed or ARGV[i + 2] ~= '' or ARGV[i + 4] ~= ''
  if first then
    duplicates = true
    out[#out + 1] = 'd' .. first
    if string.find(ARGV[i + 2], 'x', 1, true) then call('UNLINK', K.p .. ARGV[i + 8]) end
  else
    out[#out + 1] = 's'
    store(i)
  end
end
if keyed then forget_old(2 * count) end
local outcomes = duplicates and table.concat(out) or ''
call('HSET', producer, batch % 64, batch .. ':' .. outcomes)
call('PEXPIRE', producer, 600000)
wake(queue, now)
return {ms(now), layout and 0 or 1, outcomes}
