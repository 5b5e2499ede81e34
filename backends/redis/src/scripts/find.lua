-- Looks for messages by id in one section, a bounded number of rows at a time.
-- ARGV: section (0 1 2 streams, g backlog, z delayed), where to begin ('' at the start),
--   how many rows, ids (16 bytes each)
-- Reply: {where to go on ('' at the end), rows read, {id, place}...}
local section, from, max = ARGV[1], ARGV[2], tonumber(ARGV[3])
local wanted = {}
for i = 4, #ARGV do wanted[ARGV[i]] = true end
local reply, read, last = {'', 0}, 0, ''

local function look(id, place)
  read, last = read + 1, place
  if wanted[id] then reply[#reply + 1] = {id, place} end
end

local function id_in(fields)
  for i = 1, #fields, 2 do
    if fields[i] == 'i' then return fields[i + 1] end
  end
  return ''
end

if S[section] then
  local start = from == '' and '-' or '(' .. from
  for _, entry in ipairs(call('XRANGE', S[section], start, '+', 'COUNT', max)) do
    look(id_in(entry[2]), entry[1])
  end
elseif section == 'z' then
  local rows = delayed_after(from, max)
  for i = 1, #rows, 2 do
    local bytes = call('HGET', K.b, rows[i])
    look(bytes and unpack_row(bytes).i or '', rows[i])
    last = rows[i + 1] .. ' ' .. rows[i]
  end
else
  for _, member in ipairs(call('ZRANGEBYLEX', K.gw, from == '' and '-' or '(' .. from, '+', 'LIMIT', 0, max)) do
    local bytes = call('HGET', K.b, string.sub(member, -16))
    look(bytes and unpack_row(bytes).i or '', member)
  end
end
if read == max then reply[1] = last end
reply[2] = read
return reply
