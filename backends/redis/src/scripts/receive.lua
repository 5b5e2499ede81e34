-- Leases ready messages as one segment.
-- ARGV: now, segment, how many, lease ms, sleeper ('' none), ms the sleeper stays, queue
-- Reply: {now, paused, until, next due, {lane, base, flags, entries, checkpoints}...}
-- Cost: about 9 calls for a batch, then XRANGE.
local now = clock(ARGV[1])
local segment, max, lease = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local C = call('HMGET', K.c, 'v', 'pause', 'moving', 'turn', 'f', 'cur0', 'cur1', 'cur2')
if C[1] and C[1] ~= '1' then return redis.error_reply('LONGSHORE newer layout ' .. C[1]) end

local function sleep(reply)
  if ARGV[5] ~= '' then
    call('ZADD', K.w, ms(now + tonumber(ARGV[6])), ARGV[5])
    call('PEXPIRE', K.w, 120000)
  end
  return reply
end
if C[2] or C[3] then return sleep({ms(now), 1, '0', ''}) end

local reply = {ms(now), 0, '0', ''}
-- My earlier reply was lost: the same run again.
local held = call('HGET', K.h, segment)
if held then
  for _, run in ipairs(runs_of(held)) do
    local entries = call('XRANGE', S[run.lane], run.from, run.to)
    local checkpoints = run.flags ~= '' and {call('HGET', K.o, run.lane .. run.from) or ''} or {}
    reply[#reply + 1] = {run.lane, run.base, run.flags, entries, checkpoints}
  end
  reply[3] = call('ZSCORE', K.l, segment) or ms(now)
  return reply
end

promote(now, math.min(math.max(max, 16), 1000))

lapse(now, 64)

local turn, flying = tonumber(C[4] or 0), tonumber(C[5] or 0)
local lead = turn % 16
local order = {'0', '1', '2'}
if lead == 15 then order = {'2', '0', '1'}
elseif lead == 3 or lead == 7 or lead == 11 or lead == 13 then order = {'1', '0', '2'} end

local cursors = {['0'] = C[6] or '0-0', ['1'] = C[7] or '0-0', ['2'] = C[8] or '0-0'}
local runs, set, taken = {}, {}, 0
local returns = call('ZCARD', K.e) > 0

-- Takes a run over from the segment that held it.
local function take_over(from_segment, run, entries, rest)
  if from_segment == '' then flying = flying + #entries return end
  local text = call('HGET', K.h, from_segment)
  if not text then return end
  local kept = {}
  for _, r in ipairs(runs_of(text)) do
    if r.lane == run.lane and r.from == run.from and r.to == run.to then
      if rest then r.from = rest.from kept[#kept + 1] = r end
    else
      kept[#kept + 1] = r
    end
  end
  if #kept == 0 then drop_segment(from_segment) return end
  store_runs(from_segment, kept)
  count_down(from_segment, #entries)
end

-- Up to `cap` in all.
local function take_returned(lane, cap)
  for _ = 1, 64 do
    if taken >= cap then return end
    local member = call('ZRANGEBYLEX', K.e, '[' .. lane .. ' ', '(' .. lane .. '!', 'LIMIT', 0, 1)[1]
    if not member then return end
    local run, from_segment = parse_returned(member)
    local entries = call('XRANGE', S[lane], run.from, run.to, 'COUNT', cap - taken)
    call('ZREM', K.e, member)
    local rest
    if taken + #entries == cap then
      rest = {lane = lane, from = '(' .. entries[#entries][1], to = run.to, base = run.base, flags = run.flags}
      if '(' .. run.to == rest.from or #call('XRANGE', S[lane], rest.from, rest.to, 'COUNT', 1) == 0 then rest = nil end
      if rest then call('ZADD', K.e, 0, returned(rest, rest.base, from_segment)) end
    end
    take_over(from_segment, run, entries, rest)
    if #entries > 0 then
      taken = taken + #entries
      runs[#runs + 1] = {lane = lane, from = entries[1][1], to = entries[#entries][1], base = run.base, flags = run.flags}
      local checkpoints = {}
      if run.flags ~= '' then checkpoints = {call('HGET', K.o, lane .. entries[1][1]) or ''} end
      reply[#reply + 1] = {lane, run.base, run.flags, entries, checkpoints}
    end
  end
end

local function take_fresh(lane, cap)
  local entries = call('XRANGE', S[lane], '(' .. cursors[lane], '+', 'COUNT', cap - taken)
  if #entries == 0 then return end
  local last = entries[#entries][1]
  taken, flying = taken + #entries, flying + #entries
  runs[#runs + 1] = {lane = lane, from = entries[1][1], to = last, base = 0, flags = ''}
  cursors[lane] = last
  set[#set + 1] = 'cur' .. lane
  set[#set + 1] = last
  reply[#reply + 1] = {lane, 0, '', entries}
end

local function take(lane, cap)
  if returns and taken < cap then take_returned(lane, cap) end
  if taken < cap then take_fresh(lane, cap) end
end

-- Each lane gets its share of the turns first, then the others what is left. A lane alone needs no
-- shares.
local lanes = 0
for _, lane in ipairs(order) do
  if call('XLEN', S[lane]) > 0 then lanes = lanes + 1 end
end
if lanes > 1 then
  local rounds = math.floor(max / 16)
  local shares = {['0'] = 11 * rounds, ['1'] = 4 * rounds, ['2'] = rounds}
  for step = turn, turn + max % 16 - 1 do
    local at = step % 16
    local leads = at == 15 and '2' or (at == 3 or at == 7 or at == 11 or at == 13) and '1' or '0'
    shares[leads] = shares[leads] + 1
  end
  for _, lane in ipairs(order) do take(lane, taken + shares[lane]) end
  for _, lane in ipairs({'0', '1', '2'}) do take(lane, max) end
else
  for _, lane in ipairs(order) do take(lane, max) end
end

if taken == 0 then
  local due = call('ZRANGE', K.z, 0, 0, 'WITHSCORES')[2]
  local ended = call('ZRANGE', K.l, 0, 0, 'WITHSCORES')[2]
  if due and ended then due = math.min(due, ended) end
  reply[4] = (due or ended) and ms(due or ended) or ''
  return sleep(reply)
end
call('ZADD', K.l, ms(now + lease), segment)
call('HSET', K.h, segment, '=' .. runs_text(runs), segment .. '#', taken)
call('HSET', K.c, 'turn', turn + taken, 'f', ms(flying), unpack(set))
reply[3] = ms(now + lease)
ready = ready > taken and ready - taken or 0
wake(ARGV[7], now)
return reply
