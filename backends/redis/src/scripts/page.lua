-- Reads rows of one section without changing anything.
-- ARGV: now, section (0 1 2 streams, g backlog, a delayed heads of groups, z all other delayed,
--   d dead), where to begin ('' at the start), how many, 'only' to read just that place
-- Reply: {now, where to go on ('' at the end), cursor of the lane, {segment, runs...},
--   {segment, until...}, {returned runs}, rows,
--   checkpoints beside the stream rows}; a stream row is {place, fields}, a row of the
--   others {place, due, lane, m, history, checkpoint, head, body, admitted, id}
local section, from, max, only = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5] == 'only'
local reply = {ms(clock(ARGV[1])), '', '', {}, {}, {}, {}, {}}
local rows = reply[7]

local function packed(key, place, due)
  local bytes = call('HGET', K.b, key)
  if bytes then
    local p = cmsgpack.unpack(bytes)
    rows[#rows + 1] = {place, due, p[1], p[2], p[3], p[4], p[5], p[6], tostring(p[7]), p[8]}
    return p[7] == 1
  end
end

if S[section] or section == 'd' then
  local stream = S[section] or K.d
  local start = only and from or (from == '' and '-' or '(' .. from)
  local entries = call('XRANGE', stream, start, only and from or '+', 'COUNT', max)
  reply[7] = entries
  if #entries == max and not only then reply[2] = entries[#entries][1] end
  if section ~= 'd' then
    reply[3] = call('HGET', K.c, 'cur' .. section) or '0-0'
    reply[4], reply[5] = call('HGETALL', K.h), call('ZRANGE', K.l, 0, -1, 'WITHSCORES')
    local ids = {}
    for i, entry in ipairs(entries) do ids[i] = section .. entry[1] end
    if #ids > 0 then reply[8] = call('HMGET', K.o, unpack(ids)) end
    reply[6] = call('ZRANGEBYLEX', K.e, '[' .. section .. ' ', '(' .. section .. '!')
  end
elseif section == 'g' then
  local members = only and {from} or
    call('ZRANGEBYLEX', K.gw, from == '' and '-' or '(' .. from, '+', 'LIMIT', 0, max)
  for _, member in ipairs(members) do
    packed(string.sub(member, -16), member, tostring(tonumber(string.sub(member, -32, -17))))
  end
  if #members == max and not only then reply[2] = members[#members] end
elseif only then
  local due = call('ZSCORE', K.z, from)
  if due then packed(from, from, due) end
else
  local members = delayed_after(from, max)
  for i = 1, #members, 2 do
    local head = packed(members[i], members[i + 1] .. ' ' .. members[i], members[i + 1])
    if head ~= nil and head ~= (section == 'a') then rows[#rows] = nil end
  end
  if #members == 2 * max then reply[2] = members[#members] .. ' ' .. members[#members - 1] end
end
return reply
