-- The numbers of a partition.  ARGV: now
-- Reply: {now, exists, streams, leased, delayed, backlog, dead, parked, newer, pause, moving,
--   {first ready entries}, due but not promoted yet, due time of the first of those}; newer
--   counts those put back until later
local C = call('HMGET', K.c, 'v', 'f', 'parked', 'pause', 'moving', 'cur0', 'cur1', 'cur2')
local total, first = 0, {}
for lane = 0, 2 do
  local stream = S[tostring(lane)]
  total = total + call('XLEN', stream)
  local entry = call('XRANGE', stream, '(' .. (C[6 + lane] or '0-0'), '+', 'COUNT', 1)[1]
  if entry then first[#first + 1] = entry end
  local back = call('ZRANGEBYLEX', K.e, '[' .. lane .. ' ', '(' .. lane .. '!', 'LIMIT', 0, 1)[1]
  if back then
    local run = parse_returned(back)
    entry = call('XRANGE', stream, run.from, run.to, 'COUNT', 1)[1]
    if entry then first[#first + 1] = entry end
  end
end
local now = ms(clock(ARGV[1]))
-- What a lease ended on is in nobody's hands: those that a receive took note of, and the others.
local lapsed, counted = 0, {}
local function count(segment)
  if segment == '' or counted[segment] then return end
  counted[segment] = true
  lapsed = lapsed + tonumber(call('HGET', K.h, segment .. '#') or 0)
end
for _, member in ipairs(call('ZRANGE', K.e, 0, 999)) do
  local _, segment = parse_returned(member)
  count(segment)
end
for i, segment in ipairs(call('ZRANGEBYSCORE', K.l, '-inf', now, 'LIMIT', 0, 1000)) do
  count(segment)
  if i <= 16 then
    for _, run in ipairs(runs_of(call('HGET', K.h, segment) or '')) do
      local entry = call('XRANGE', S[run.lane], run.from, run.to, 'COUNT', 1)[1]
      if entry then first[#first + 1] = entry end
    end
  end
end
-- The first that fell due and is not behind a head.
local head
local due = call('ZRANGEBYSCORE', K.z, '-inf', now, 'WITHSCORES', 'LIMIT', 0, 16)
for i = 1, #due, 2 do
  local bytes = call('HGET', K.b, due[i])
  local row = bytes and unpack_row(bytes)
  if row and (row.g == '' or row.adm or call('HEXISTS', K.ga, row.g) == 0) then
    head = due[i + 1]
    break
  end
end
return {now, (C[1] or C[4] or C[5]) and 1 or 0, total, tonumber(C[2] or 0) - lapsed,
  call('ZCARD', K.z), call('ZCARD', K.gw), call('XLEN', K.d), tonumber(C[3] or 0),
  call('ZCOUNT', K.nv, '(' .. now, '+inf'), C[4] or '', C[5] or '', first,
  call('ZCOUNT', K.z, '-inf', now), head or ''}
